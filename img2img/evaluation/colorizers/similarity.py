"""How alike two pictures look: SSIM, and LPIPS where its network's weights are at hand."""

from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from img2img.atomic_file import reason_for
from img2img.errors import ModelError
from img2img.evaluation.colorizers.metrics import Picture

ALEXNET_FILE = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
LEARNED = "torchmetrics/functional/image/lpips_models/alex.pth"
"""How much each channel of AlexNet's layers counts: (1, C, 1, 1), a layer each."""
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What LPIPS takes off R, G and B in [-1, 1], and divides them by: ImageNet's means and deviations."""
WINDOW, SIGMA = 11, 1.5  # pixels
K1, K2 = 0.01, 0.03
BATCH = 16
"""Pictures that LPIPS looks at together: more take memory and save nothing."""


def ssim(picture: Picture, truth: Picture) -> float:
    """Structural similarity (Wang 2004, doi 10.1109/TIP.2003.819861, eq. 13), mirrored at the edges; 1 when equal.

    torchmetrics has the same number in a second a photo, for its window is 121 weights; here rows and columns go apart.
    In float64, since variances are taken as mean(x^2) - mean(x)^2, which leaves float32 little in flat places.
    """
    x, y = picture.astype(np.float64), truth.astype(np.float64)
    c1, c2 = (K1 * 255) ** 2, (K2 * 255) ** 2
    mean_x, mean_y = _windowed(x), _windowed(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances = _windowed(x**2 + y**2) - squares
    covariance = _windowed(x * y) - product
    return float(np.mean((2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))))


def _windowed(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(planes, (WINDOW, WINDOW), SIGMA), np.float64)


class Lpips:
    """Learned perceptual distance (Zhang, arXiv 1801.03924), AlexNet's; 0 when equal.

    AlexNet, torchvision's, comes from a file, what was learned beside it from one of torchmetrics': to import either
    package takes seconds. Raises ModelError for another file.
    """

    def __init__(self, weights: Path, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        learned = torch.load(str(distribution("torchmetrics").locate_file(LEARNED)), "cpu", weights_only=True)
        self._of_channels = [weights.to(self._device) for weights in learned.values()]
        try:
            with torch.random.fork_rng(devices=[]):  # what is drawn is loaded over
                self._alexnet = _AlexNet(torch.load(weights, map_location="cpu", weights_only=True)).to(self._device)
        except OSError as error:
            raise ModelError(f"{weights}: {reason_for(error, 'read')}") from error
        except Exception as error:  # torch raises what it likes for a file of something else
            raise ModelError(f"{weights}: not torchvision's AlexNet; fetch {ALEXNET_FILE}") from error

    def __call__(self, picture: Picture, truth: Picture) -> float:
        return self.from_truth([picture], truth)[0]

    @torch.inference_mode()
    def from_truth(self, pictures: Sequence[Picture], truth: Picture) -> list[float]:
        """Of several pictures of one size: quicker than one by one, since the truth's features are taken once."""
        some, others = pictures[:BATCH], pictures[BATCH:]
        distance = torch.zeros(len(some), device=self._device)
        for features, weights in zip(self._alexnet(self._batch([truth, *some])), self._of_channels, strict=True):
            unit = features / (1e-8 + features.square().sum(1, keepdim=True)).sqrt()
            distance += F.conv2d((unit[1:] - unit[:1]).square(), weights).mean((1, 2, 3))
        return distance.tolist() + (self.from_truth(others, truth) if others else [])

    def _batch(self, pictures: Sequence[Picture]) -> Tensor:
        """(H, W, 3) uint8 -> (N, 3, H, W) float32 as AlexNet was trained on, channels last."""
        pixels = torch.from_numpy(np.stack(pictures)).to(self._device).float() / 127.5 - 1
        return ((pixels - pixels.new_tensor(SHIFT)) / pixels.new_tensor(SCALE)).movedim(-1, 1)


class _AlexNet(nn.Module):
    """Pictures (N, 3, H, W) -> what comes out of each of its five convolutions, after the ReLU."""

    def __init__(self, published: Mapping[str, Tensor]) -> None:
        """`published` are torchvision's weights, of which it takes its own; KeyError or RuntimeError for others."""
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
        )
        self.layers.load_state_dict({name: published[f"features.{name}"] for name in self.layers.state_dict()})
        self.requires_grad_(False).to(memory_format=torch.channels_last)  # on a CPU in two thirds of the time

    def forward(self, x: Tensor) -> list[Tensor]:
        seen = []
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                seen.append(x)
        return seen
