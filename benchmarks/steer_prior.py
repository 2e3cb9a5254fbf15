"""What a prior over the colours does, and whether suggestions are right as often as they say, as one table.

    python benchmarks/steer_prior.py photos-val.tar people-val.tar --lpips-weights alexnet-features.pth
    python benchmarks/steer_prior.py photos-val.tar --sheet sheet.jpg --seed 3         also pictures, drawn by the seed

Every second photo is measured: constants were chosen on the others, the last of them with 64 of these in view as well
(docs/explanation/steering.md). --limit takes so many of each set, at equal steps. They are made about 256 x 256 px,
greyed, and coloured: without a prior, with their own true colours as the reference, with another photo, drawn by the
seed. The distance between two pictures' colours is half the sum of the differences
between their classes' shares (total variation), each colour counting to its 3 nearest of 260 classes: 0 to 1; and how
far the shares must be moved in ab (sliced Wasserstein). Times are of the thread's processor, colours of the small copy
only: medians of pairs in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from whole_process import ROOT, print_table

from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource, JoinedSource, Subset
from img2img.data.open_source import open_source
from img2img.evaluation.colorizers.measured_photos import photo_at
from img2img.evaluation.colorizers.similarity import Lpips
from img2img.evaluation.contact_sheet import contact_sheet
from img2img.evaluation.sets.distances import frechet_distance
from img2img.evaluation.sets.feature_network import PooledFeatures, feature_network
from img2img.inference.colorizer import Colorizer
from img2img.lab import Floats, rgb_to_lab
from img2img.photo import Photo
from img2img.steering.colors import Color, ab_of, parse_color
from img2img.steering.prior import Prior, reference_shares
from img2img.steering.steering import Steering
from img2img.steering.suggest import REACH

SIZE, PAIRS, PLACES = 256, 60, 5
PALETTES = (("#7a5c3e", "#c9b48a", "#2f4858"), ("#8a2b2b", "#3a6b35", "#e8d8b0"))
TITLE = ("what", "must reach", "measured")


@dataclass
class Measured:
    """Of one photo; the columns are without a prior, with its own colours, with another photo's."""

    lpips: list[float]
    features: torch.Tensor
    """(4, F), of the truth first."""
    distance: NDArray[np.float64]
    """(2, 2), to the other photo's colours: without a prior, and with it, in total variation and in units of ab."""
    luma_kept: bool
    said: NDArray[np.float64]
    """(PLACES, 2): what the first suggestion and all five said, at random places."""
    right: NDArray[np.float64]
    """(PLACES, 2): 1 where the true colour is close to it, or to any of them."""


def rows(
    source: ImageSource, weights: Path, *, seed: int = 0, colorizer: Colorizer | None = None
) -> list[tuple[str, ...]]:
    """The table's rows, measured on all photos of a source; `weights` are AlexNet's, for LPIPS."""
    colorizer = colorizer or Colorizer(threads=1)
    measured = list(measure(source, weights, seed, colorizer))
    return [*_reference_rows(measured), *_time_rows(source, colorizer), *_suggestion_rows(measured)]


def measure(source: ImageSource, weights: Path, seed: int, colorizer: Colorizer) -> Iterator[Measured]:
    lpips, features, rng = Lpips(weights), feature_network(), np.random.default_rng(seed)
    for place in range(len(source)):
        other = (place + 1 + int(rng.integers(len(source) - 1))) % len(source)
        truth, example = (_truth(source, each) for each in (place, other))
        yield _measured(truth, example, colorizer, lpips, features, rng)


def _truth(source: ImageSource, place: int) -> Photo:
    return Photo(np.asarray(photo_at(source, place, SIZE).convert("RGB")), "RGB")


def _measured(
    truth: Photo,
    example: Photo,
    colorizer: Colorizer,
    lpips: Lpips,
    features: PooledFeatures,
    rng: np.random.Generator,
) -> Measured:
    grey = Photo(np.asarray(truth.to_image().convert("L")), "L")
    priors = None, colorizer.prior(reference=truth), colorizer.prior(reference=example)
    coloured = [colorizer.convert(grey, steering=Steering(prior)) for prior in priors]
    pictures = [np.asarray(each.to_image().convert("RGB")) for each in coloured]
    wanted, *shares = (reference_shares(each, colorizer.classes) for each in (example, coloured[0], coloured[2]))
    squares = np.stack([centre_square(each, features.side) for each in (truth.pixels, *pictures)])
    said, right = _suggested(truth, grey, colorizer, rng)
    return Measured(
        lpips.from_truth(pictures, truth.pixels),
        features(torch.from_numpy(squares.transpose(0, 3, 1, 2))),
        np.array(
            [(np.abs(each - wanted).sum() / 2, moved(each - wanted, colorizer.classes.centres)) for each in shares]
        ),
        all(np.array_equal(each.pixels[..., 0], grey.pixels) for each in coloured),
        said,
        right,
    )


def moved(difference: Floats, centres: Floats) -> float:
    """How far, in ab, shares (Q,) move to become others: sliced Wasserstein distance over 8 directions."""
    total = 0.0
    for angle in np.arange(8) * np.pi / 8:
        place = centres @ np.array([np.cos(angle), np.sin(angle)])
        order = np.argsort(place, kind="stable")
        total += float(np.abs(np.cumsum(difference[order])[:-1]) @ np.diff(place[order]))
    return total / 8


def _suggested(
    truth: Photo, grey: Photo, colorizer: Colorizer, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    *_, logits = colorizer.predicted_with_logits(grey.pixels)
    true = Image.fromarray(truth.pixels).resize(logits.shape[:0:-1], Image.Resampling.BOX)
    ab = rgb_to_lab(np.moveaxis(np.asarray(true, np.float32) / np.float32(255), 2, 0))[1:]
    said, right = [], []
    for x, y in rng.random((PLACES, 2)):
        here = colorizer.suggest(grey.pixels, x, y)
        place = ab[:, int(y * ab.shape[1]), int(x * ab.shape[2])]
        close = [float(np.hypot(*(ab_of(each.color) - place)) <= REACH) for each in here]
        said.append((here[0].probability, sum(each.probability for each in here)))
        right.append((close[0], max(close)))
    return np.array(said), np.array(right)


def _reference_rows(measured: Sequence[Measured]) -> Iterator[tuple[str, ...]]:
    features = torch.stack([each.features for each in measured])
    none, own, _ = np.mean([each.lpips for each in measured], 0)
    frechet = [frechet_distance(features[:, column], features[:, 0]) for column in (1, 2, 3)]
    before, after = np.mean([each.distance for each in measured], 0)
    kept = sum(each.luma_kept for each in measured)
    yield "own truth as reference: LPIPS", "falls", f"{none:.3f} -> {own:.3f}"
    yield "own truth as reference: Frechet distance", "falls", f"{frechet[0]:.2f} -> {frechet[1]:.2f}"
    yield "another photo as reference: luma untouched", "all", f"{kept} of {len(measured)}"
    for name, was, now in zip(("", ", in ab moved"), before, after, strict=True):
        ratio = f"{was:.3g} -> {now:.3g}, {now / was:.2f} of it"
        yield f"another photo as reference: distance to its colours{name}", "0.5 of it", ratio
    yield "another photo as reference: Frechet distance to the true photos", "", f"{frechet[0]:.2f} -> {frechet[2]:.2f}"


def _time_rows(source: ImageSource, colorizer: Colorizer) -> Iterator[tuple[str, ...]]:
    grey = np.asarray(photo_at(source, 0, SIZE).convert("L"))
    reference = _truth(source, 1)
    yield "time: a reference", "+ 1 ms", _slower(grey, colorizer, colorizer.prior(reference=reference))
    yield (
        "time: a palette and a warmth",
        "+ 1 ms",
        _slower(grey, colorizer, colorizer.prior(palette=_colors(0), warmth=1)),
    )
    started = time.thread_time()
    for _ in range(PAIRS):
        colorizer.prior(reference=reference)
    yield "time: counting a reference, once", "", f"{1e3 * (time.thread_time() - started) / PAIRS:.1f} ms"


def _slower(grey: NDArray[np.uint8], colorizer: Colorizer, prior: Prior | None) -> str:
    def seconds(steering: Steering) -> float:
        started = time.thread_time()
        colorizer.chroma(grey, steering=steering)
        return time.thread_time() - started

    pairs = np.array([(seconds(Steering()), seconds(Steering(prior))) for _ in range(PAIRS)])
    without, more = 1e3 * np.median(pairs[:, 0]), 1e3 * np.median(pairs[:, 1] - pairs[:, 0])
    return f"{more:+.1f} ms, beside {without:.1f}"


def _suggestion_rows(measured: Sequence[Measured]) -> Iterator[tuple[str, ...]]:
    said, right = (np.concatenate(parts) for parts in zip(*((each.said, each.right) for each in measured), strict=True))
    for column, name in enumerate(("the first suggestion", "one of five")):
        figures = f"{100 * right[:, column].mean():.0f}% of places, {100 * said[:, column].mean():.0f}% said"
        yield f"{name} is within {REACH:.0f} units of ab", "", figures


def _colors(palette: int) -> list[Color]:
    return [parse_color(text) for text in PALETTES[palette]]


def draw(source: ImageSource, colorizer: Colorizer, path: Path, seed: int) -> None:
    """grey | coloured | 3 references | 2 palettes | warmth -1, -0.5, 0.5, 1; the references stand in the first row."""
    drawn = np.random.default_rng(seed + 1).choice(len(source), 3, replace=False)
    references = [_truth(source, int(place)) for place in drawn]
    priors = [None, *(colorizer.prior(reference=each) for each in references)]
    priors += [colorizer.prior(palette=_colors(place)) for place in range(len(PALETTES))]
    priors += [colorizer.prior(warmth=warmth) for warmth in (-1, -0.5, 0.5, 1)]
    heads = iter([[Image.new("L", (SIZE, SIZE), 255)] * 2 + [each.to_image() for each in references] + _swatches()])

    def row(photo: Image.Image) -> list[Image.Image]:
        if head := next(heads, None):
            return head
        grey = photo.convert("L")
        luma = Photo(np.asarray(grey), "L")
        return [grey, *(colorizer.convert(luma, steering=Steering(prior)).to_image() for prior in priors)]

    contact_sheet(row, source, path, count=11, seed=seed, cell=144, per_line=1)


def _swatches() -> list[Image.Image]:
    palettes = [np.array([[parse_color(color) for color in palette]], np.uint8) for palette in PALETTES]
    shown = [Image.fromarray(each).resize((SIZE, SIZE), Image.Resampling.NEAREST) for each in palettes]
    return shown + [Image.new("L", (SIZE, SIZE), 255)] * 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path, help="folders or tar files of colour photos")
    parser.add_argument("--model", default=str(ROOT / "checkpoints" / "colorizer.onnx"))
    parser.add_argument("--lpips-weights", type=Path, help="AlexNet's; no table without")
    parser.add_argument("--limit", type=int, default=10_000, help="so many photos of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="a picture to write")
    options = parser.parse_args()
    colorizer = Colorizer(options.model, threads=1)
    source = JoinedSource([measured_half(open_source([each]), options.limit) for each in options.photos])
    if options.sheet:
        draw(source, colorizer, options.sheet, options.seed)
    if options.lpips_weights:
        print_table(rows(source, options.lpips_weights, seed=options.seed, colorizer=colorizer), TITLE)


def measured_half(source: ImageSource, limit: int) -> ImageSource:
    """At most `limit` of the photos with odd numbers, at equal steps: those with even ones chose the constants."""
    odd = np.arange(1, len(source), 2)
    return Subset(source, odd[np.linspace(0, len(odd) - 1, min(limit, len(odd))).astype(int)].tolist())


if __name__ == "__main__":
    main()
