"""Fully connected players, as in the first GAN (Goodfellow et al. 2014, arXiv 1406.2661)."""

from math import prod

from torch import Tensor, nn


class PerceptronGenerator(nn.Module):
    """Latents (N, inputs) -> pictures (N, *shape) in [-1, 1]."""

    def __init__(self, inputs: int, shape: tuple[int, int, int], width: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width // 2),
            nn.LeakyReLU(0.2),
            nn.Linear(width // 2, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, prod(shape)),
            nn.Tanh(),
            nn.Unflatten(1, shape),
        )

    def forward(self, z: Tensor) -> Tensor:
        image: Tensor = self.layers(z)
        return image


class PerceptronDiscriminator(nn.Module):
    """Pictures (N, *shape) in [-1, 1] -> logits (N, 1)."""

    def __init__(self, shape: tuple[int, int, int], width: int = 512) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Flatten(),
            nn.Linear(prod(shape), width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width // 2),
            nn.LeakyReLU(0.2),
        )
        self.head = nn.Linear(width // 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits
