"""How alike two pictures look: SSIM, and LPIPS where its network's weights are at hand."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from img2img.atomic_file import reason_for
from img2img.errors import ModelError
from img2img.evaluation.colorizers.metrics import Picture

ALEXNET_FILE = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
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

    torchmetrics brings what was learned; AlexNet itself, torchvision's, comes from a file. Raises ModelError for
    another.
    """

    def __init__(self, weights: Path, device: torch.device | str = "cpu") -> None:
        from torchmetrics.functional.image.lpips import _LPIPS

        with torch.random.fork_rng(devices=[]):  # what is drawn is loaded over
            self._network = _LPIPS(net="alex", pnet_rand=True)  # the public class would fetch AlexNet from the network
        try:
            published = torch.load(weights, map_location="cpu", weights_only=True)
            alexnet = {name: published[_published_name(name)] for name in self._network.net.state_dict()}
            self._network.net.load_state_dict(alexnet)
        except OSError as error:
            raise ModelError(f"{weights}: {reason_for(error, 'read')}") from error
        except Exception as error:  # torch raises what it likes for a file of something else
            raise ModelError(f"{weights}: not torchvision's AlexNet; fetch {ALEXNET_FILE}") from error
        self._device = torch.device(device)
        self._network.eval().to(self._device)

    def __call__(self, picture: Picture, truth: Picture) -> float:
        return self.from_truth([picture], truth)[0]

    @torch.inference_mode()
    def from_truth(self, pictures: Sequence[Picture], truth: Picture) -> list[float]:
        """Of several pictures of one size: quicker than one by one, since the truth's features are taken once."""
        some, others = pictures[:BATCH], pictures[BATCH:]
        distance = torch.zeros(len(some), device=self._device)
        for features, layer in zip(self._network.net(self._batch([truth, *some])), self._network.lins, strict=True):
            unit = features / (1e-8 + features.square().sum(1, keepdim=True)).sqrt()
            distance += layer((unit[1:] - unit[:1]).square()).mean((1, 2, 3))
        return distance.tolist() + (self.from_truth(others, truth) if others else [])

    def _batch(self, pictures: Sequence[Picture]) -> Tensor:
        """(H, W, 3) uint8 -> (N, 3, H, W) float32 as AlexNet was trained on."""
        pixels = torch.from_numpy(np.stack(pictures)).to(self._device).movedim(-1, 1).float()
        scaled: Tensor = self._network.scaling_layer(pixels / 127.5 - 1)
        return scaled


def _published_name(name: str) -> str:
    """torchmetrics cuts AlexNet in slices and keeps the numbers of its layers: slice2.3.bias is features.3.bias."""
    return f"features.{name.partition('.')[2]}"
