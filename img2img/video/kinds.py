"""Which inputs are films: by suffix, by a look at how a picture file begins, or by a pattern of numbered pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import BinaryIO, Literal

from img2img.atomic_file import exists, is_file, is_folder
from img2img.errors import UsageError
from img2img.photo.decoder_warnings import decoder_warnings_ignored
from img2img.photo.other_files import FILM_SUFFIXES

FilmKind = Literal["film", "animation", "sequence"]
ANIMATION_SUFFIXES = frozenset({".gif", ".webp", ".png"})
_PATTERN = re.compile(r"(?P<before>[^%]*)%(?P<width>0\d+)?d(?P<after>[^%]*)")
_WEBP_ANIMATED = 2  # of the flags in the VP8X chunk
_LISTED_GAPS = 3


def kind_of(name: str, *, first_frame: bool = False) -> FilmKind | None:
    """None for a photo, a folder, standard input. With `first_frame` an animation is the photo that it begins with."""
    path = Path(name)
    if path.suffix.lower() in FILM_SUFFIXES:
        return None if is_folder(path) else "film"
    if Numbered.named(name):
        return "sequence"
    if not first_frame and path.suffix.lower() in ANIMATION_SUFFIXES and is_file(path):
        with suppress(OSError), path.open("rb") as stream:  # the photo reader says why it cannot be read
            return "animation" if _moves(stream) else None
    return None


@dataclass(frozen=True)
class Numbered:
    """A pattern of numbered pictures, `folder/frame_%05d.png`."""

    folder: Path
    before: str
    width: int
    after: str

    @classmethod
    def named(cls, name: str) -> Numbered | None:
        """None where the name is no such pattern, or that of a file or a folder."""
        path = Path(name)
        found = _PATTERN.fullmatch(path.name)
        if found is None or "://" in name or exists(path):
            return None
        return cls(path.parent, found["before"], int(found["width"] or 0), found["after"])

    def __str__(self) -> str:
        return str(self.folder / self.name)

    @property
    def name(self) -> str:
        width = f"0{self.width}" if self.width else ""
        return f"{self.before}%{width}d{self.after}"

    def path(self, number: int) -> Path:
        return self.folder / f"{self.before}{number:0{self.width}}{self.after}"

    def numbers(self) -> list[int]:
        """Those of the pictures that are there, rising."""
        middle = slice(len(self.before), -len(self.after) or None)
        names = (path.name for path in self.folder.glob("*") if path.name.startswith(self.before))
        digits = (name[middle] for name in names if name.endswith(self.after))
        found = {int(each) for each in digits if each.isascii() and each.isdigit()}
        return sorted(number for number in found if self.path(number).is_file())


def gaps(numbers: list[int]) -> str | None:
    """The numbers missing between the first and the last, in words; None where there are none."""
    between = [range(one + 1, next_one) for one, next_one in pairwise(numbers)]
    count = sum(map(len, between))
    if not count:
        return None
    more = f" and {count - _LISTED_GAPS} more" if count > _LISTED_GAPS else ""
    return ", ".join(map(str, islice(chain.from_iterable(between), _LISTED_GAPS))) + more


def are_films(inputs: list[str], *, first_frame: bool) -> bool:
    """Whether the inputs are films, animations or patterns of numbered pictures. UsageError where only some are."""
    kinds = [kind_of(name, first_frame=first_frame) for name in inputs]
    if any(kinds) and not all(kinds):
        film, photo = inputs[[bool(kind) for kind in kinds].index(True)], inputs[kinds.index(None)]
        raise UsageError(f"{film} moves and {photo} does not: convert films and photos in commands of their own")
    return any(kinds)


def _moves(stream: BinaryIO) -> bool:
    start = stream.read(21)
    if start.startswith(b"RIFF"):
        return start[8:16] == b"WEBPVP8X" and len(start) == 21 and bool(start[20] & _WEBP_ANIMATED)
    if start.startswith(b"\x89PNG"):
        return any(name == b"acTL" for name in _png_chunks(stream))
    return start.startswith(b"GIF") and _gif_moves(stream)


def _png_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The names of those before the picture."""
    at = 8
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            return
        yield head[4:]
        at += 12 + int.from_bytes(head[:4], "big")


def _gif_moves(stream: BinaryIO) -> bool:
    from PIL import GifImagePlugin

    stream.seek(0)
    try:
        with decoder_warnings_ignored():
            return bool(GifImagePlugin.GifImageFile(stream).is_animated)
    except Exception:  # of any kind, for a damaged file: the photo reader says how
        return False
