"""Preview grids: a few fixed pictures, drawn by the averaged generator, as one PNG."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.atomic_file import written_at_once

_LINE = 2  # pixels


def preview_grid(rows: Tensor) -> Tensor:
    """(N, K, 3, H, W) in [-1, 1] -> (3, height, width) uint8: N rows of K pictures, with white lines between."""
    lined = F.pad(rows, (0, _LINE, 0, _LINE), value=1.0)
    joined = lined.permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)  # torchvision's make_grid takes seconds to import
    grid = F.pad(joined, (_LINE, 0, _LINE, 0), value=1.0)
    return ((grid.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()


def save_picture(pixels: Tensor, path: Path, exif: bytes = b"") -> None:
    """Write (3, H, W) uint8, with EXIF where the format has it; ValueError for a suffix of no picture file."""
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"no picture file ends with {path.suffix!r}")
    with written_at_once(path) as stream:
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(stream, kind, exif=exif)
