"""How far a colorizer is led astray by what age does to a photo, as one table; or a picture of the kinds of ageing.

    python benchmarks/ageing.py --photos FOLDER --lpips-weights alexnet.pth      the table, for the model that ships
    python benchmarks/ageing.py --photos FOLDER --photo 41 --sheet ageing.jpg    the picture, of one of the photos

Each of the colour photos (a folder or a tar file) is made grey by its BT.601 luma and aged from a fixed seed. Distance:
between the ab that the model predicts for the aged and for the clean grey, Euclidean, averaged over the pixels, without
a frame's. Chroma: the mean length of what it predicts. LPIPS to the truth: the colours that were predicted for the aged
grey, joined with the clean luma, so that only the colours count.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ageing_sheet import SIDE, draw_sheet
from PIL import Image
from torch import Tensor
from whole_process import ROOT, print_table

from img2img import color
from img2img.data.framing import centre_square
from img2img.data.image_source import Subset
from img2img.data.loading import to_tensor
from img2img.data.open_source import open_source
from img2img.evaluation.colorizers.measured_photos import photos_at
from img2img.evaluation.colorizers.metrics import Picture
from img2img.evaluation.colorizers.similarity import Lpips
from img2img.inference.opened_model import OpenedModel
from img2img.inference.runtimes.execution import Execution
from img2img.lab import Floats
from img2img.networks.quantised_ab import AB_SCALE
from img2img.randomness import derive_seed, uniform
from img2img.recipes.ageing.aged import FRAME, KINDS, PLACES, aged_split, drawn_strengths, same_strengths
from img2img.recipes.ageing.damage import picture
from img2img.recipes.photo_lab import GREYS

CLEAN, MIXTURE, GREY = "none", "as in training, where a photo is aged", "no colours at all"
TITLE = ("ageing", "strengths", "share of aged", "distance in ab", "chroma", "LPIPS")


class Result(NamedTuple):
    distance: float
    chroma: float
    lpips: float


class Aged:
    """One photo under a model, in every kind of ageing."""

    def __init__(self, truth: Image.Image, number: int, model: OpenedModel, lpips: Lpips | None) -> None:
        self._truth, self._luma = np.asarray(truth), np.asarray(truth.convert("L"))
        self._image, self._key = to_tensor(self._truth)[None], key_of(number)
        self._model, self._lpips = model, lpips
        self._clean = self._predicted(same_strengths({}, 1))

    def results(self) -> Iterator[tuple[str, Result]]:
        yield GREY, self._result(np.zeros_like(self._clean), same_strengths({}, 1))
        yield CLEAN, self._of(same_strengths({}, 1))
        for name, kind in KINDS.items():
            strength = float(kind.at(uniform(self._key, (), name)))
            yield name, self._of(same_strengths({name: strength}, 1))
        yield MIXTURE, self._of(drawn_strengths(self._key))

    def _of(self, strengths: Tensor) -> Result:
        return self._result(self._predicted(strengths), strengths)

    def _predicted(self, strengths: Tensor) -> Floats:
        """ab (2, H, W)."""
        lightness, _ = aged_split(self._image, self._key, strengths)
        ab: Floats = np.float32(AB_SCALE) * self._model.run(lightness.numpy())[0]
        return ab

    def _result(self, ab: Floats, strengths: Tensor) -> Result:
        photo = picture(self._image, strengths[:, PLACES[FRAME], None], self._key)[0, 0].numpy()
        ab = np.where(photo, ab, self._clean)
        distance, chroma = (float(np.hypot(*each)[photo].mean()) for each in (ab - self._clean, ab))
        return Result(distance, chroma, self._lpips(self._coloured(ab), self._truth) if self._lpips else np.nan)

    def _coloured(self, ab: Floats) -> Picture:
        pixels = color.join(self._luma, color.chroma_planes(self._luma, ab))
        return np.asarray(Image.fromarray(pixels, "YCbCr").convert("RGB"))


def key_of(number: int) -> Tensor:
    """The first key for a photo that leaves it neither clean nor with another grey than BT.601."""
    keys = (derive_seed(0, "ageing", number, attempt) // GREYS * GREYS for attempt in count())
    return next(key for key in (torch.tensor([key]) for key in keys) if drawn_strengths(key).any())


def table(results: Sequence[dict[str, Result]]) -> Iterator[tuple[str, ...]]:
    columns = defaultdict(list)
    for photo in results:
        for name, result in photo.items():
            columns[name].append(result)
    for name, found in columns.items():
        kind = KINDS.get(name)
        strengths = f"{kind.strengths[0]:g} to {kind.strengths[1]:g} {kind.unit}" if kind else ""
        share = f"{kind.probability:g}" if kind else ""
        distance, chroma, lpips = np.mean(found, axis=0)
        yield name, strengths, share, f"{distance:.2f}", f"{chroma:.1f}", "" if np.isnan(lpips) else f"{lpips:.4f}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="a folder or a tar file of colour photos")
    parser.add_argument("--count", type=int, default=150, help="of the photos, at equal steps")
    parser.add_argument("--model", default=str(ROOT / "checkpoints" / "colorizer.onnx"))
    parser.add_argument("--lpips-weights", type=Path, help="torchvision's AlexNet, as for `img2img evaluate`")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw the picture instead")
    parser.add_argument("--photo", type=int, default=0, help="which one to draw, by its place in the order of names")
    return parser.parse_args()


def main() -> None:
    options = parse()
    source = open_source([options.photos])
    if options.sheet:
        draw_sheet(to_tensor(centre_square(source.rgb(options.photo), SIDE))[None], options.sheet)
        return
    torch.set_num_threads(1)  # pictures this small are not worth the wait for a second thread
    model = OpenedModel(options.model, task="colorize", doing="this", execution=Execution("cpu", 1))
    lpips = Lpips(options.lpips_weights) if options.lpips_weights else None
    chosen = np.linspace(0, len(source) - 1, min(options.count, len(source))).round().astype(int).tolist()
    photos = photos_at(Subset(source, chosen), model.card.native_size, model.card.size_multiple)
    results = [dict(Aged(photo, number, model, lpips).results()) for number, photo in enumerate(photos)]
    print_table(list(table(results)), TITLE)


if __name__ == "__main__":
    main()
