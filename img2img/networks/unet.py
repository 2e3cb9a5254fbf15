"""The colorizer's U-Net: an EfficientNet-Lite0 going down, three light steps going up, features at 1/4."""

from torch import Tensor, nn

from img2img.networks.blocks import UpBlock
from img2img.networks.imagenet.encoder import OUT_CHANNELS, SKIP_CHANNELS, EfficientNetLite

SIZE_MULTIPLE = 32


class UNet(nn.Module):
    """(N, in, H, W) in [-1, 1], sides multiples of 32 -> (N, out, H/4, W/4), unbounded."""

    def __init__(
        self, in_channels: int, out_channels: int, decoder_channels: tuple[int, int, int] = (192, 128, 64)
    ) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(in_channels)
        self.decoder = nn.ModuleList()
        channels = OUT_CHANNELS
        for skip_channels, up_channels in zip(reversed(SKIP_CHANNELS), decoder_channels, strict=True):
            self.decoder.append(UpBlock(channels, skip_channels, up_channels))
            channels = up_channels
        self.head = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """`kept` (N, encoder.depth) is stochastic depth's."""
        x, skips = self.encoder(x, kept)
        for up_block, skip in zip(self.decoder, reversed(skips), strict=True):
            x = up_block(x, skip)
        logits: Tensor = self.head(x)
        return logits
