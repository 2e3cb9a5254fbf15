"""Preview grids: a few fixed pictures, drawn by the averaged generator, as one PNG."""

from pathlib import Path

import torch
from torch import Tensor


def save_preview(rows: Tensor, path: Path) -> None:
    """Write (N, K, 3, H, W) in [-1, 1] as a grid of N rows with K pictures each."""
    from torchvision.utils import make_grid

    grid = make_grid(rows.flatten(0, 1), nrow=rows.shape[1], padding=2, pad_value=1.0)
    pixels = ((grid.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    from PIL import Image

    Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy()).save(path)
