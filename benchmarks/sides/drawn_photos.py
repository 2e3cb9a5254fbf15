"""Photos for benchmarks, made from a sample: `drawn_photos.py large FILE`, `small FOLDER N` or `tiny FOLDER N`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[2] / "datasets" / "samples" / "killarney-1910.jpg"
IN_A_FOLDER = 1000  # of the tiny ones


def make_large(target: Path) -> None:
    """4000 x 3000, grey, with grain: enlarging leaves no detail, and a JPEG of none would be too cheap."""
    smooth = np.asarray(Image.open(SAMPLE).convert("L").resize((4000, 3000), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 4, smooth.shape)
    Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(target, quality=90)


def make_small(folder: Path, count: int) -> None:
    """500 x 375, parts of the sample, at places and scales chosen by seed."""
    folder.mkdir()
    whole, rng = Image.open(SAMPLE).convert("L"), np.random.default_rng(0)
    for number in range(count):
        width = rng.uniform(0.4, 0.9) * min(whole.width, whole.height * 4 / 3)
        left, top = rng.uniform(0, whole.width - width), rng.uniform(0, whole.height - width * 3 / 4)
        part = whole.resize((500, 375), Image.Resampling.BICUBIC, (left, top, left + width, top + width * 3 / 4))
        part.save(folder / f"{number:04}.jpg", quality=90)


def make_tiny(folder: Path, count: int) -> None:
    """32 x 24, all the same, a thousand in a folder: for what depends on their number only."""
    first = folder / "0.jpg"
    folder.mkdir()
    Image.open(SAMPLE).convert("L").resize((32, 24)).save(first, quality=90)
    content = first.read_bytes()
    first.unlink()
    for number in range(count):
        path = folder / f"{number // IN_A_FOLDER:03}" / f"{number:06}.jpg"
        if number % IN_A_FOLDER == 0:
            path.parent.mkdir()
        path.write_bytes(content)


def main() -> None:
    kind, target, *count = sys.argv[1:]
    if kind == "large":
        make_large(Path(target))
    else:
        {"small": make_small, "tiny": make_tiny}[kind](Path(target), int(count[0]))


if __name__ == "__main__":
    main()
