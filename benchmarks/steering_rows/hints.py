"""What hints bring: nearer to the true colours on photos, how much of it crosses an edge, and what it costs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scenes.bleeding_scenes import SCENES, Mask, Scene
from whole_process import ROOT, run

from img2img import color
from img2img.evaluation.colorizers.metrics import psnr
from img2img.inference.colorizer import Colorizer
from img2img.lab import Floats
from img2img.steering.hints import Coordinate, Hint, parse_hint
from img2img.steering.steering import Steering
from steering_rows.subject import Row, Subject, pixels

COUNTS = {1: "+1.2 dB", 3: "+2.0 dB", 10: "+3.6 dB"}
AROUND = 3  # pixels to each side of a place, whose mean is its true colour
SCENE_HINTS = 8  # of each side
RUNS = 5
SIDES = ROOT / "benchmarks" / "sides"
DRAW, HINTED = SIDES / "drawn_photos.py", SIDES / "hinted_photo.py"


def gain_rows(subject: Subject) -> Iterator[Row]:
    """PSNR of RGB with hints of the true colour at random places, less that without."""
    gains: dict[int, list[float]] = {count: [] for count in COUNTS}
    for number, photo in enumerate(subject.photos()):
        grey, truth = photo.convert("L"), pixels(photo)
        before = psnr(pixels(subject.colorizer(grey)), truth)
        for count in COUNTS:
            hints = true_hints(truth, count, np.random.default_rng([subject.seed, number, count]))
            gains[count].append(psnr(pixels(subject.colorizer(grey, hints=hints)), truth) - before)
    for count, target in COUNTS.items():
        better = np.mean(np.array(gains[count]) > 0)
        name = f"{count} hint{'s' * (count > 1)} of the true colour, PSNR ({better:.0%} of {len(gains[count])} gain)"
        yield name, target, f"{np.mean(gains[count]):+.2f} dB", f"{median(gains[count]):+.2f} dB"


def true_hints(truth: NDArray[np.uint8], count: int, rng: np.random.Generator) -> list[Hint]:
    """Hints at random places of a photo (H, W, 3), each of the mean colour around it."""
    height, width, _ = truth.shape
    places = zip(rng.integers(height, size=count).tolist(), rng.integers(width, size=count).tolist(), strict=True)
    return [_true_hint(truth, y, x) for y, x in places]


def _true_hint(truth: NDArray[np.uint8], y: int, x: int) -> Hint:
    patch = truth[max(y - AROUND, 0) : y + AROUND + 1, max(x - AROUND, 0) : x + AROUND + 1]
    red, green, blue = np.rint(patch.reshape(-1, 3).mean(axis=0)).astype(int).tolist()
    return Hint(Coordinate(x, in_percent=False), Coordinate(y, in_percent=False), (red, green, blue))


def edge_rows(subject: Subject) -> Iterator[Row]:
    """What a hint changes beyond the outline of what it is on, beside what it changes where it is."""
    for name, drawn in SCENES.items():
        scene = drawn()
        rng = np.random.default_rng(subject.seed)
        shares = [
            crossing(subject.colorizer, scene, on, place)
            for on in (scene.mask, ~scene.mask)
            for place in rng.permutation(np.argwhere(on))[:SCENE_HINTS].tolist()
        ]
        own, other = np.mean(shares, axis=0)
        yield f"{name}: chroma across the edge ({own:.0%} on its own side)", "under 10%", f"{other:.1%}", ""


def crossing(colorizer: Colorizer, scene: Scene, on: Mask, place: list[int]) -> tuple[float, float]:
    """The mean change in chroma on a hint's own side and on the other, as shares of the change where it is."""
    y, x = place
    hint = parse_hint(f"{x},{y}=#8a2b2b")
    before, after = (_chroma(colorizer, scene, Steering(hints=hints)) for hints in ((), (hint,)))
    change = np.hypot(*(after - before))
    return float(change[on].mean() / change[y, x]), float(change[~on].mean() / change[y, x])


def _chroma(colorizer: Colorizer, scene: Scene, steering: Steering) -> Floats:
    """Cb and Cr (2, H, W) of the coloured scene."""
    joined = color.join(scene.luma, colorizer.chroma(scene.luma, steering=steering))
    return np.moveaxis(joined[..., 1:], 2, 0).astype(np.float32)


def cost_rows(subject: Subject) -> Iterator[Row]:
    """Ten hints on a grey JPEG of 12 megapixels: whole processes in turn, medians of what they take beside none."""
    with tempfile.TemporaryDirectory() as name:
        photo, result = Path(name) / "large.jpg", Path(name) / "ours.jpg"
        run(DRAW, "large", photo)
        sides = [[run(HINTED, subject.model, photo, result, count) for count in (0, 10)] for _ in range(RUNS)]
    seconds = median(hinted.seconds - plain.seconds for plain, hinted in sides)
    processor = median(hinted.processor - plain.processor for plain, hinted in sides)
    memory = median(hinted.memory - plain.memory for plain, hinted in sides)
    yield "ten hints on 12 megapixels, wall", "+0.2 s", f"{seconds:+.2f} s", ""
    yield "their processor time", "", f"{processor:+.2f} s", ""
    yield "their peak memory", "+30 MiB", f"{memory:+.0f} MiB", ""
