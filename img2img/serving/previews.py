"""Photos at a size for a page, with what the network saw and said of them kept: other colours only join anew."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from img2img import color
from img2img.batch.task import Colorizing, Translating
from img2img.conversion.options import ConversionOptions
from img2img.inference.colorizer import Colorizer, ShrunkLuma
from img2img.inference.scorer import is_unlike
from img2img.lab import Floats
from img2img.photo import Photo, read_photo, write_photo
from img2img.photo.pixels import Pixels
from img2img.serving.model_cards import check_steerable
from img2img.serving.opened import OpenedModels
from img2img.serving.problem import Refusal
from img2img.steering.hints import Coordinate, shares_of
from img2img.steering.prior import Prior
from img2img.steering.request import SteeringRequest
from img2img.steering.steering import Steering
from img2img.steering.suggest import Suggestion

PREVIEW_SIDE, CARD_SIDE = 1280, 640  # pixels, at most
KEPT_BYTES = 128_000_000
_SHOWN_QUALITY = 88
_BROWSERS_SHOW = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")


@dataclass(frozen=True)
class PreviewColors:
    """What the network sees of a photo, and the ab (2, h, w) that it predicts where nobody steers it.

    Steered, it is asked again: it takes a hundredth of a second, and its logits would take megabytes.
    """

    colorizer: Colorizer
    luma: ShrunkLuma
    ab: Floats

    @classmethod
    def of(cls, colorizer: Colorizer, luma: Pixels) -> PreviewColors:
        shrunk = colorizer.shrunk(luma)
        return cls(colorizer, shrunk, colorizer.predicted(shrunk)[1])

    @property
    def nbytes(self) -> int:
        return self.luma.small.nbytes + self.ab.nbytes

    def chroma(self, asked: Colorizing) -> Floats:
        """As `Colorizer.chroma`. Raises UsageError for hints outside of the photo."""
        if not asked.steering.described():
            return color.chroma_planes(self.luma.small, color.strengthened(self.ab, asked.strength))
        check_steerable(self.colorizer.card)
        steering = Steering(_prior(self.colorizer, asked), asked.steering.hints)
        return self.colorizer.chroma(self.luma, strength=asked.strength, steering=steering)

    def suggestions(self, x: Coordinate, y: Coordinate, asked: Colorizing) -> Sequence[Suggestion]:
        """The likeliest colours at a place of the upright photo. Raises UsageError where it is outside."""
        check_steerable(self.colorizer.card)
        place = shares_of(x, y, self.luma.shape)
        return self.colorizer.suggest(self.luma, *place, prior=_prior(self.colorizer, asked))


def _prior(colorizer: Colorizer, asked: Colorizing) -> Prior | None:
    """That of what is asked, kept: the next picture, with a hint moved, most often has the same."""
    return _kept_prior(colorizer, replace(asked.steering, hints=()))


@lru_cache(maxsize=16)
def _kept_prior(colorizer: Colorizer, steering: SteeringRequest) -> Prior | None:
    return Colorizing(steering=steering).prior(colorizer)


@dataclass(frozen=True)
class Preview:
    """A photo and its result, small; `card` is smaller still, for many on one page.

    `width`, `height`: the photo's own. `shown`: browsers can show its file. `colors`: of a photo that is coloured.
    """

    small: Photo
    card: Photo
    width: int
    height: int
    shown: bool
    before: bytes
    after: bytes | None = None
    score: float | None = None
    colors: PreviewColors | None = None

    @property
    def unlike(self) -> bool:
        """Whether the model was not made for such photos."""
        return self.score is not None and is_unlike(self.score)

    @property
    def nbytes(self) -> int:
        colors = self.colors.nbytes if self.colors else 0
        return self.small.pixels.nbytes + self.card.pixels.nbytes + len(self.before) + len(self.after or b"") + colors

    def coloured(self, asked: Colorizing, *, for_card: bool = False) -> bytes:
        """The result as a JPEG; as `Colorizer.convert` makes it, of the small photo."""
        if self.colors is None:
            assert self.after is not None
            return self.after
        photo = self.card if for_card else self.small
        pixels = color.join(color.luma(photo), self.colors.chroma(asked))
        return shown_jpeg(replace(photo, pixels=pixels, space="YCbCr"))


def make_preview(path: Path, options: ConversionOptions, models: OpenedModels) -> Preview:
    """Raises UnreadablePhoto and ModelError."""
    photo = read_photo(path, max_pixels=options.max_pixels or 1, first_frame=options.first_frame)
    small = small_copy(photo)
    shown = photo.format in _BROWSERS_SHOW and photo.pixels.dtype == np.uint8
    preview = Preview(small, small_copy(small, CARD_SIDE), photo.width, photo.height, shown, shown_jpeg(small))
    task = options.task()
    if isinstance(task, Colorizing):
        return replace(preview, colors=PreviewColors.of(models.colorizer(task), color.luma(photo)))
    assert isinstance(task, Translating)
    translator, scorer = models.translator(task)
    after = shown_jpeg(translator.convert(small, size=task.size))
    return replace(preview, after=after, score=scorer.score(photo) if scorer else None)


def small_copy(photo: Photo, side: int = PREVIEW_SIDE) -> Photo:
    """8 bit, of at most so many pixels a side, without what only a file of the photo's own needs."""
    image = photo.to_image()
    image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    bare = Photo(
        np.asarray(image.convert("L" if image.mode in ("L", "LA") else "RGB")),
        "L" if image.mode in ("L", "LA") else "RGB",
    )
    return replace(bare, icc=photo.icc, alpha=np.asarray(image.getchannel("A")) if photo.alpha is not None else None)


def shown_jpeg(photo: Photo) -> bytes:
    """What every browser shows."""
    plain = replace(photo, exif=None, xmp=None, jpeg=None, png=())
    if plain.pixels.dtype != np.uint8:
        plain = replace(
            plain,
            pixels=(plain.pixels >> 8).astype(np.uint8),
            alpha=None if plain.alpha is None else (plain.alpha >> 8).astype(np.uint8),
        )
    encoded = BytesIO()
    write_photo(plain, encoded, format="JPEG", quality=_SHOWN_QUALITY)
    return encoded.getvalue()


class PreviewShelf:
    """The newest previews, under ids that nobody guesses, as many as fit."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most, self._kept, self._bytes = most_bytes, OrderedDict[str, Preview](), 0
        self._lock = threading.Lock()

    def put(self, preview: Preview) -> str:
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = preview
            self._bytes += preview.nbytes
            while self._bytes > self._most and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes
        return name

    def get(self, name: str) -> Preview:
        """Raises Refusal where it is not kept, or not any more."""
        with self._lock:
            if name not in self._kept:
                raise Refusal(404, "no such preview, or not any more: send the photo again")
            self._kept.move_to_end(name)
            return self._kept[name]
