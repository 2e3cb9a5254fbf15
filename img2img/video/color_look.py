"""Whether a film, an animation or a row of pictures is in colour already: by a few of its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from img2img.batch.in_color import is_in_color
from img2img.errors import PhotoError
from img2img.photo import Photo, read_photo
from img2img.video.kinds import Numbered
from img2img.video.plan import FilmJob

_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of a film's length: titles in colour, or a scene in fog, do not decide."""


def is_color_film(job: FilmJob) -> bool:
    """Whether most of the pictures looked at are in colour; not of one that cannot be read, which is said elsewhere."""
    with suppress(FFmpegError, OSError, PhotoError, ValueError):
        looks = [is_in_color(photo) for photo in _pictures(job)]
        return 2 * sum(looks) > len(looks)
    return False


def _pictures(job: FilmJob) -> Iterator[Photo]:
    row = Numbered.named(str(job.source)) if job.kind == "sequence" else None
    if row:
        paths = [row.path(number) for number in row.numbers()]
        yield from map(read_photo, paths[:: max(1, len(paths) // len(_PLACES))])
    elif job.kind == "animation":
        yield read_photo(job.source, first_frame=True)
    else:
        yield from _frames(job.source)


def _frames(path: Path) -> Iterator[Photo]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        length = container.duration  # in microseconds
        for share in _PLACES if length else (0.0,):
            container.seek(int(share * (length or 0)))
            for frame in islice(container.decode(stream), 1):
                yield Photo(np.ascontiguousarray(frame.to_ndarray(format="rgb24")), "RGB")
