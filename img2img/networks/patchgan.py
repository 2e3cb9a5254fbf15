"""PatchGAN: a discriminator that judges overlapping patches, each by one logit (pix2pix, arXiv 1611.07004, 3.2.2)."""

from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from img2img.networks.blocks import ConvNormAct, Norm, normal_init


class PatchGAN(nn.Module):
    """(N, in, H, W) in [-1, 1] -> logits (N, 1, H/8 - 2, W/8 - 2) for three stages: patches of 70 x 70 pixels.

    With `norm=nn.Identity` every sample is judged alone, as a critic under gradient penalty must be. `spectral` divides
    each kernel by its largest singular value (Miyato et al. 2018, arXiv 1802.05957).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 64,
        stages: int = 3,
        norm: Norm = nn.InstanceNorm2d,
        *,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        block = partial(ConvNormAct, kernel=4, activation=partial(nn.LeakyReLU, 0.2))
        widths = [channels * min(2**stage, 8) for stage in range(stages + 1)]
        layers: list[nn.Module] = [block(in_channels, widths[0], stride=2, norm=nn.Identity)]
        for before, after in pairwise(widths[:-1]):
            layers.append(block(before, after, stride=2, norm=norm))
        layers.append(block(widths[-2], widths[-1], norm=norm))
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)
        normal_init(self)
        if spectral:
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits
