"""The network that ships: L in, ab out, with the step from classes to colours inside."""

import torch
from torch import Tensor, nn

from img2img.networks.optional_input import WithOptionalInput
from img2img.networks.quantised_ab import QuantisedAb
from img2img.networks.unet import UNet


class AbNetwork(nn.Module):
    """L / 50 - 1 (N, 1, H, W), sides multiples of 32 -> ab / 110 (N, 2, H, W)."""

    def __init__(self, temperature: float = 1.0, saturation: float = 1.0) -> None:
        """`temperature` is the annealed mean's; `saturation` multiplies the colours: a mean is paler than they are."""
        super().__init__()
        self.temperature = temperature
        self.saturation = saturation
        self.quantised = QuantisedAb()
        self.unet = UNet(in_channels=1, out_channels=len(self.quantised))
        self.enlarge = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)

    def logits(self, lightness: Tensor, kept: Tensor | None = None) -> Tensor:
        """Class logits (N, Q, H/4, W/4); `kept` (N, encoder.depth) is stochastic depth's."""
        logits: Tensor = self.unet(lightness, kept)
        return logits

    def decoded(self, logits: Tensor, temperature: float, saturation: float, prior: Tensor | None = None) -> Tensor:
        """ab / 110 (N, 2, H, W) of class logits (N, Q, H/4, W/4), with a `prior` (Q,): cheap beside them."""
        ab = self.quantised.decode(logits, temperature, prior) * saturation
        enlarged: Tensor = self.enlarge(ab)
        return enlarged

    def forward(self, lightness: Tensor) -> Tensor:
        return self.decoded(self.logits(lightness), self.temperature, self.saturation)


class WithPrior(WithOptionalInput):
    """An AbNetwork that takes a prior over its classes, and gives their logits too."""

    optional, further = "prior", "logits"

    def __init__(self, network: AbNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, H, W), (Q,) -> ab / 110 (N, 2, H, W), logits (N, Q, H/4, W/4)."""
        network, logits = self.network, self.network.logits(lightness)
        return network.decoded(logits, network.temperature, network.saturation, prior), logits

    def neutral(self) -> Tensor:
        """(Q,): every class as likely as the network says."""
        return torch.ones(len(self.network.quantised))
