"""What Frechet distance and KID compare pictures by: mean-pooled features of a network trained on ImageNet."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.atomic_file import reason_for
from img2img.choices import meant_or_all
from img2img.errors import ModelError, UsageError
from img2img.evaluation.sets.lite_graph import lite_runtime
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.networks.imagenet.encoder import EfficientNetLite

FeatureNetwork = Literal["lite0", "inception"]
FEATURE_NETWORKS = get_args(FeatureNetwork)
INCEPTION_FILE = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
LITE0_SCALE = 4.0
"""Features are divided by it. Their mean square, 2.4 over photographs, becomes 0.15: at such arguments KID's kernel,
(x'y / F + 1)^3, weighs means and covariances, too, and is no mere cube that a few pictures rule."""


class PooledFeatures(nn.Module):
    """Pictures, brought to the size that the network was trained at, and the means of its last feature maps.

    Shrunk and enlarged by antialiased bicubic interpolation, as in "clean" FID (arXiv 2104.11222): nearest neighbours
    and plain bilinear make features of a picture's sampling.
    """

    def __init__(self, maps: nn.Module, *, side: int, name: str) -> None:
        super().__init__()
        self.maps, self.side, self.name = maps, side, name
        self.requires_grad_(False).eval()

    @property
    def batch(self) -> int:
        """How many pictures at a time: few stay in a CPU's caches, many fill a GPU."""
        return 8 if self._device.type == "cpu" else 64

    @property
    def _device(self) -> torch.device:
        return next(self.maps.parameters()).device

    def identity(self) -> bytes:
        """What tells its features from others: name, weights, and the kind of device, which rounds its own way."""
        weights = hashlib.sha256(f"{self.name} {self.side} {self._device.type}".encode())
        for tensor in self.maps.state_dict().values():
            weights.update(tensor.cpu().numpy().tobytes())
        return weights.digest()

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W), uint8 or float in [-1, 1] -> (N, F) float32."""
        x = pictures.to(self._device)
        x = x.float() / 127.5 - 1 if x.dtype == torch.uint8 else x.float()
        if x.shape[-2:] != (self.side, self.side):
            x = F.interpolate(x, size=(self.side, self.side), mode="bicubic", antialias=True).clamp(-1, 1)
        features: Tensor = self.maps(x).mean((2, 3))
        return features


def feature_network(
    name: str = "lite0", weights: Path | None = None, device: torch.device | str = "cpu"
) -> PooledFeatures:
    """The network of that name, ready on the device; draws no random numbers that anybody else would miss.

    lite0: the 320 last features of EfficientNet-Lite0 at 224 px (arXiv 1905.11946), by LITE0_SCALE; the weights come in
    a package of the train extra. inception: the 768 of Inception v3's Mixed_6e at 299 px (arXiv 1512.00567), with
    torchvision's weights from a file. Raises UsageError for another name or a file too few or too many, ModelError for
    a file of other weights.
    """
    if name not in FEATURE_NETWORKS:
        raise UsageError(f"no feature network is called {name!r}; {meant_or_all(name, FEATURE_NETWORKS)}")
    if (weights is not None) != (name == "inception"):
        raise UsageError(
            f"--features inception takes its weights from --weights FILE: fetch {INCEPTION_FILE}"
            if weights is None
            else f"--features {name} takes no --weights: its own come with img2img[train]"
        )
    with torch.random.fork_rng(devices=[]):  # networks are drawn before their weights are loaded
        made = _lite0() if weights is None else _inception(weights)
    return made.to(device)


class _Lite0(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(3, "lite0")
        self.encoder.load_imagenet()

    @cached_property
    def _on_cpu(self) -> OnnxRuntime:
        return lite_runtime(self.encoder, threads=torch.get_num_threads())

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu":
            features = torch.from_numpy(self._on_cpu.run(x.contiguous().numpy()))
        else:
            features, _ = self.encoder(x)
        return features / LITE0_SCALE


def _lite0() -> PooledFeatures:
    return PooledFeatures(_Lite0(), side=224, name="lite0")


def _inception(weights: Path) -> PooledFeatures:
    """Takes pictures in [-1, 1], as the network was first trained; torchvision's own transform leads there as well."""
    from torchvision.models import Inception3

    network = Inception3(init_weights=False, aux_logits=True, transform_input=False)
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except OSError as error:
        raise ModelError(f"{weights}: {reason_for(error, 'read')}") from error
    except Exception as error:  # torch raises what it likes for a file of something else
        raise ModelError(f"{weights}: not torchvision's Inception v3; fetch {INCEPTION_FILE}") from error
    children = dict(network.named_children())
    names = list(children)
    used = [part for part in names[: names.index("Mixed_6e") + 1] if part != "AuxLogits"]
    return PooledFeatures(nn.Sequential(*(children[part] for part in used)), side=299, name="inception")
