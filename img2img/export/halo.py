"""How far around a tile a translator must see to draw it as in the whole picture."""

import numpy as np
import torch

from img2img.export.example_inputs import random_input
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.tiling import SMALLEST_HALO
from img2img.lab import Floats
from img2img.model_file import TensorSpec

SEEN = 0.1 / 127.5  # a tenth of a grey level of 255: photos move a network up to five times as far as these pictures
FARTHEST = 256


def measure_halo(graph: bytes, image: TensorSpec, multiple: int) -> int:
    """Pixels, a multiple of `multiple`, from SMALLEST_HALO to FARTHEST: nearer to a cut the graph draws other pixels.

    Measured on random pictures, smooth and grained, with a margin cut away and, if the graph takes them, the whole
    picture's statistics.
    """
    runtime = OnnxRuntime(graph, device="cpu")
    generator = torch.Generator().manual_seed(0)
    margin = -(-FARTHEST // multiple) * multiple
    sides = {"H": 4 * margin, "W": 4 * margin}
    smooth = random_input(image, sides, generator)
    grain = 0.2 * torch.randn(smooth.shape, generator=generator)
    reach = max(_reach(runtime, picture.numpy(), margin) for picture in (smooth, (smooth + grain).clamp(-1, 1)))
    return max(-(-reach // multiple), -(-SMALLEST_HALO // multiple)) * multiple


def _reach(runtime: OnnxRuntime, picture: Floats, margin: int) -> int:
    """How many pixels from the cut the last difference is."""
    inner = np.s_[..., margin:-margin, margin:-margin]
    whole, *statistics = runtime.run_all(picture)
    cut = runtime.run(np.ascontiguousarray(picture[inner]), *statistics)
    differs = (np.abs(cut - whole[inner]) > SEEN).any(axis=(0, 1))
    rows, columns = np.nonzero(differs)
    height, width = differs.shape
    from_cut = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    return int(from_cut.max(initial=-1)) + 1
