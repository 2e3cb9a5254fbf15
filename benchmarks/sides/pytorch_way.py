"""Colouring as a plain PyTorch + Kornia script does it: Lab at full size, one photo after another.

The other side of benchmarks/colorize.py and batch.py: `python benchmarks/sides/pytorch_way.py MODEL.onnx OUT PHOTO...`
prints the photos per second, start-up and a first photo excluded.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import lab_to_rgb, rgb_to_lab
from PIL import Image
from torch import Tensor

from img2img.model_file import read_card

Network = Callable[[Tensor], Tensor]


def load_network(model: Path) -> Network:
    """The shipped network in PyTorch; without its .safetensors the same graph in ONNX Runtime."""
    weights = model.with_suffix(".safetensors")
    if weights.is_file():
        from img2img.inference.runtimes import torch_runtime

        return torch_runtime.load_network(weights, read_card(weights))
    from img2img.inference.runtimes.onnx_runtime import OnnxRuntime

    session = OnnxRuntime(model.read_bytes())
    return lambda lightness: torch.from_numpy(session.run(lightness.numpy()))


@torch.inference_mode()
def colorize(photo: Path, target: Path, network: Network, side: int) -> None:
    pixels = np.array(Image.open(photo).convert("RGB"))
    rgb = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    lightness = rgb_to_lab(rgb)[:, :1]
    small = F.interpolate(lightness, (side, side), mode="bilinear", antialias=True)
    ab = 110 * network(small / 50 - 1)
    ab = F.interpolate(ab, lightness.shape[-2:], mode="bilinear")
    rgb = lab_to_rgb(torch.cat([lightness, ab], dim=1))
    coloured = (255 * rgb[0]).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(coloured).save(target, quality=90)


def main() -> None:
    model, out, *photos = map(Path, sys.argv[1:])
    network, side = load_network(model), read_card(model).native_size  # the size at which img2img runs it
    if len(photos) > 1:
        colorize(photos[0], out / photos[0].name, network, side)
    started = time.perf_counter()
    for photo in photos:
        colorize(photo, out / photo.name, network, side)
    print(len(photos) / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
