"""How much colour bleeds over outlines, as one table: models, and beside them what resolution alone costs.

    python benchmarks/bleeding.py --photos people-val.tar                      the shipped colorizer
    python benchmarks/bleeding.py old.onnx new.onnx --photos FOLDER --limit 50
    python benchmarks/bleeding.py                                              only the drawn scenes

Photos are brought to about 512 x 512 px as `img2img evaluate` does. Error is the mean distance in CIE ab of the
coloured photo from the true one: within 3 px of a strong edge, and elsewhere. An edge is strong where L, smoothed by a
Gaussian of 1 px, rises by more than 5 a pixel: a sharp step of 16 or more. All photos' pixels count alike; PSNR is the
mean of the photos'. "True colours, 1/4" are the photo's own ab averaged to a quarter of the model's native size, then
enlarged as the network and `color.join` do: what is lost though no colour was guessed wrong. A model's own error is
nearly all wrong guesses, on outlines or not; its distance from this column is not bleeding. Photos smaller than 512 px
are enlarged first, so their own colours are blurred, and the losses come out low: give large ones, without 4:2:0.

The scenes are drawn, so what belongs to whom is known: how much of the region's chroma lies outside of it, in percent
of all its chroma, and how much is missing within 3 px inside of its outline.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scenes.bleeding_scenes import SCENES, Scene
from whole_process import ROOT, print_table

from img2img import color
from img2img.data.image_source import ImageSource, Subset
from img2img.data.open_source import open_source
from img2img.errors import DataError
from img2img.evaluation.colorizers.measured_photos import photos_at
from img2img.evaluation.colorizers.metrics import Picture, psnr
from img2img.inference.colorizer import Colorizer
from img2img.lab import Floats, rgb_to_lab
from img2img.model_file import ModelCard
from img2img.photo import Photo
from img2img.photo.pixels import Pixels

Luma = NDArray[np.uint8]
Join = Callable[[Luma, Floats], Pixels]
Chroma = Callable[[Luma, Floats], Floats]
SIZE, REACH = 512, 3  # pixels
STEEP = 5.0  # L a pixel
SHARES = {"1/4": 4, "1/2": 2, "1/1": 1}


@dataclass
class Score:
    """Sums over photos: of distances in ab and of pixels near edges and elsewhere, and each photo's PSNR."""

    near_sum: float = 0.0
    near_pixels: int = 0
    elsewhere_sum: float = 0.0
    elsewhere_pixels: int = 0
    psnrs: list[float] = field(default_factory=list)

    def add(self, coloured: Picture, truth: Picture) -> None:
        lab = lab_of(truth)
        distance, near = np.hypot(*(lab_of(coloured) - lab)[1:]), near_edges(lab[0])
        self.near_sum += float(distance[near].sum())
        self.elsewhere_sum += float(distance[~near].sum())
        self.near_pixels += int(near.sum())
        self.elsewhere_pixels += int((~near).sum())
        self.psnrs.append(psnr(coloured, truth))

    @property
    def near(self) -> float:
        """Mean error in ab within REACH of a strong edge; DataError where no photo has one."""
        if not self.near_pixels:
            raise DataError("no photo has a strong edge: give others")
        return self.near_sum / self.near_pixels

    @property
    def elsewhere(self) -> float:
        return self.elsewhere_sum / max(self.elsewhere_pixels, 1)


def near_edges(light: Floats) -> NDArray[np.bool_]:
    """Where (H, W) an L (H, W) has a strong edge within REACH pixels."""
    down, across = np.gradient(cv2.GaussianBlur(light, (0, 0), 1.0))
    return within_reach(np.hypot(down, across) > STEEP)


def within_reach(places: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The places (H, W) and all that lies within REACH pixels of one."""
    if not places.any():
        return places
    return np.asarray(cv2.distanceTransform((~places).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)) <= REACH


def lab_of(rgb: Picture) -> Floats:
    """Lab (3, H, W) of RGB (H, W, 3)."""
    return rgb_to_lab(np.moveaxis(rgb, 2, 0).astype(np.float32) / np.float32(255))


def shrunk(plane: Floats, h: int, w: int) -> Floats:
    """Averaged over areas."""
    return np.asarray(Image.fromarray(plane).resize((w, h), Image.Resampling.BOX))


def at_native_size(planes: Floats, card: ModelCard, factor: int) -> Floats:
    """True planes (2, H, W) as (2, h, w) of a network that knows them and whose last layer enlarges by `factor`."""
    _, height, width = planes.shape
    h, w = color.small_size(height, width, card.native_size, card.size_multiple)
    small = (shrunk(plane, max(h // factor, 1), max(w // factor, 1)) for plane in planes)
    return np.stack([np.asarray(Image.fromarray(each).resize((w, h), Image.Resampling.BILINEAR)) for each in small])


def of_model(colorizer: Colorizer) -> Chroma:
    return lambda luma, ab: colorizer.chroma(luma)


def of_truth(card: ModelCard, factor: int) -> Chroma:
    def chroma(luma: Luma, ab: Floats) -> Floats:
        small = color.shrink(luma, card.native_size, card.size_multiple)
        return color.chroma_planes(small, at_native_size(ab, card, factor))

    return chroma


def score_photos(columns: Sequence[Chroma], photos: Iterator[Image.Image], join: Join = color.join) -> list[Score]:
    """One score for each column; photos without colour are left out. DataError when none is left."""
    scores = [Score() for _ in columns]
    for photo in photos:
        truth = np.asarray(photo.convert("RGB"))
        if not np.ptp(truth, axis=2).any():
            continue
        luma, ab = np.asarray(photo.convert("L")), lab_of(truth)[1:]
        for score, chroma in zip(scores, columns, strict=True):
            joined = Photo(join(luma, chroma(luma, ab)), "YCbCr").to_image()
            score.add(np.asarray(joined.convert("RGB")), truth)
    if not scores[0].psnrs:
        raise DataError("no photo with colour to measure on: give colour photos")
    return scores


def score_scene(scene: Scene, card: ModelCard, factor: int, join: Join = color.join) -> tuple[float, float]:
    """The share of the region's chroma that lies outside of it, and the share missing within REACH of its outline."""
    chroma = at_native_size(scene.chroma(), card, factor)
    mix = scene.mix(join(scene.luma, chroma))
    rim = scene.mask & within_reach(~scene.mask)
    return float(np.abs(mix[~scene.mask]).sum() / scene.mask.sum()), float(np.abs(1 - mix[rim]).mean())


def some(source: ImageSource, limit: int | None) -> ImageSource:
    """At most `limit` of a source, at equal steps."""
    count = min(limit or len(source), len(source))
    return Subset(source, [round(place) for place in np.linspace(0, len(source) - 1, count).tolist()])


def photo_rows(scores: Sequence[Score]) -> Iterator[tuple[str, ...]]:
    yield f"error in ab within {REACH} px of edges", *(f"{score.near:.2f}" for score in scores)
    yield "error in ab elsewhere", *(f"{score.elsewhere:.2f}" for score in scores)
    ratios = (score.near / score.elsewhere if score.elsewhere else float("nan") for score in scores)
    yield "ratio", *(f"{ratio:.2f}" for ratio in ratios)
    yield "PSNR, dB", *(f"{np.mean(score.psnrs):.2f}" for score in scores)


def scene_rows(card: ModelCard, models: int) -> Iterator[tuple[str, ...]]:
    for name, scene in SCENES.items():
        scores = [score_scene(scene(), card, factor) for factor in SHARES.values()]
        empty = ("",) * models
        yield f"{name}: chroma outside", *empty, *(f"{100 * outside:.1f}%" for outside, _ in scores)
        yield f"{name}: missing within {REACH} px inside", *empty, *(f"{100 * missing:.1f}%" for _, missing in scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shipped = str(ROOT / "checkpoints" / "colorizer.onnx")
    parser.add_argument("models", nargs="*", default=[shipped], help="colorizers; the first one's native size counts")
    parser.add_argument("--photos", type=Path, help="a folder or tar file of colour photos")
    parser.add_argument("--limit", type=int, help="so many photos, at equal steps; all of them by default")
    parser.add_argument("--size", type=int, default=SIZE, help="they are brought to about this squared")
    options = parser.parse_args()
    colorizers = [Colorizer(model) for model in options.models]
    card = colorizers[0].card
    rows: list[tuple[str, ...]] = []
    if options.photos:
        columns = [of_model(each) for each in colorizers]
        columns += [of_truth(card, factor) for factor in SHARES.values()]
        photos = photos_at(some(open_source([options.photos]), options.limit), options.size)
        rows += photo_rows(score_photos(columns, photos))
    shown = [Path(model).name for model in options.models] if options.photos else []
    rows += scene_rows(card, len(shown))
    print_table(rows, ("what", *shown, *(f"true colours, {share} of {card.native_size} px" for share in SHARES)))


if __name__ == "__main__":
    main()
