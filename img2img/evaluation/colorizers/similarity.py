"""How alike two pictures look, by torchmetrics: SSIM, and LPIPS where its network's weights are at hand."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from img2img.atomic_file import why_not
from img2img.errors import ModelError
from img2img.evaluation.colorizers.metrics import Picture

ALEXNET_FILE = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"


def ssim(picture: Picture, truth: Picture) -> float:
    """Structural similarity (Wang 2004, doi 10.1109/TIP.2003.819861), Gaussian window of sigma 1.5; 1 when equal."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    # in float64: variances are taken as mean(x^2) - mean(x)^2, which leaves float32 little in flat places
    pictures = _batch(picture).double(), _batch(truth).double()
    found = structural_similarity_index_measure(*pictures, data_range=255.0)
    assert isinstance(found, Tensor)
    return float(found)


class Lpips:
    """Learned perceptual distance (Zhang, arXiv 1801.03924), AlexNet's; 0 when equal.

    torchmetrics brings what was learned; AlexNet itself, torchvision's, comes from a file. Raises ModelError for
    another.
    """

    def __init__(self, weights: Path) -> None:
        from torchmetrics.functional.image.lpips import _LPIPS

        self._network = _LPIPS(net="alex", pnet_rand=True)  # the public class would fetch AlexNet from the network
        try:
            published = torch.load(weights, map_location="cpu", weights_only=True)
            alexnet = {name: published[_published_name(name)] for name in self._network.net.state_dict()}
            self._network.net.load_state_dict(alexnet)
        except OSError as error:
            raise ModelError(f"{weights}: {why_not(error, 'read')}") from error
        except Exception as error:  # torch raises what it likes for a file of something else
            raise ModelError(f"{weights}: not torchvision's AlexNet; fetch {ALEXNET_FILE}") from error

    @torch.no_grad()
    def __call__(self, picture: Picture, truth: Picture) -> float:
        return float(self._network(_batch(picture) / 127.5 - 1, _batch(truth) / 127.5 - 1))


def _published_name(name: str) -> str:
    """torchmetrics cuts AlexNet in slices and keeps the numbers of its layers: slice2.3.bias is features.3.bias."""
    return f"features.{name.partition('.')[2]}"


def _batch(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32, the same values."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None].float()
