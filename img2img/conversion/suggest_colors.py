"""The likeliest colours at a place of a photo's file: what a hint there may say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from img2img.color import luma
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.errors import UsageError
from img2img.machine import usable_cores
from img2img.photo import DEFAULT_MAX_PIXELS, read_photo
from img2img.steering.hints import Coordinate, shares_of
from img2img.steering.suggest import Suggestion


def suggest_colors(path: Path, place: str, options: ColorizeOptions, *, count: int = 5) -> Sequence[Suggestion]:
    """At most `count` colours at "52%,40%" or "812,300" of the upright photo, the likeliest first.

    The options' model, reference, palette and warmth count. Raises UsageError for what is no place in the photo,
    UnreadablePhoto and ModelError.
    """
    x, y = _coordinates(place)
    task = options.task()
    photo = read_photo(path, max_pixels=options.max_pixels or DEFAULT_MAX_PIXELS, first_frame=True)
    shares = shares_of(x, y, (photo.height, photo.width), called=str(path))
    colorizer = task.open_model(usable_cores())
    return colorizer.suggest(luma(photo), *shares, prior=task.prior(colorizer), count=count)


def _coordinates(place: str) -> tuple[Coordinate, Coordinate]:
    parts = place.split(",")
    if len(parts) != 2:
        raise UsageError(f"{place!r} is not a place: write X,Y, such as 52%,40% or 812,300")
    return Coordinate.parse(parts[0]), Coordinate.parse(parts[1])
