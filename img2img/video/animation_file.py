"""An animated GIF, WebP or PNG as it is read: its pictures as they are shown, how long and how often, and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, ImageFile

from img2img.atomic_file import reason_for
from img2img.errors import FilmError, UnreadablePhoto
from img2img.photo import DEFAULT_MAX_PIXELS, Photo
from img2img.photo.credentials import CREDENTIALS, has_credentials
from img2img.photo.decoder_warnings import decoder_warnings_ignored
from img2img.photo.formats import gif_profile, gif_xmp, is_lossless_webp, reader_of, sniff_format

if TYPE_CHECKING:
    from img2img.photo.png.parts import PngParts

_OPAQUE = 255
_WEBP_HEADER = 30  # to the end of the VP8X chunk


@dataclass(frozen=True)
class Shown:
    """A picture, whole, with what it leaves of the ones before, and its milliseconds."""

    photo: Photo
    duration: float


class AnimationFile:
    """An animation, opened. Raises FilmError, also for more pixels in all than a photo may have.

    count: of its pictures. plays: how often it is shown, 0 forever. comment: a GIF's. lossless: whether a WebP is.
    The first picture's photo has the file's EXIF, XMP, profile and texts.
    """

    def __init__(self, path: Path, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self.path = path
        self.comment: bytes | None = None
        self.lossless = False
        self._max_pixels = max_pixels
        self._parts: PngParts | None = None
        self._icc: bytes | None = None  # of a GIF, of which Pillow does not know; nor of its XMP
        self._xmp: bytes | None = None
        self._lost: tuple[str, ...] = ()
        with self._reading(), path.open("rb") as stream:
            start = stream.read(_WEBP_HEADER)
            self._format = sniff_format(start)
            if self._format == "WEBP" and start[12:16] == b"VP8X":
                sides = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (24, 27))
                self._check(tuple(sides), 1)  # before libwebp takes memory for it
            if self._format == "PNG":
                self._look_at_png(stream)
            else:
                self._look(stream)

    def pictures(self) -> Iterator[Shown]:
        with self.path.open("rb") as stream:
            coming = self._png_pictures(stream) if self._parts else self._pictures(stream)
            while True:
                with self._reading():
                    shown = next(coming, None)
                if shown is None:
                    return
                yield shown

    def fallback(self) -> Photo | None:
        """Of a PNG, the picture for programs that show no animations, where it is none of the animation's."""
        if self._parts is None or not self._parts.has_fallback:
            return None
        from img2img.photo.png.description import described
        from img2img.photo.png.frames import still_picture
        from img2img.photo.png.reader import info_of

        with self._reading(), self.path.open("rb") as stream:
            picture = still_picture(stream, self._parts)
            picture.info.update(info_of(described(self._parts)))
            return self._photo(picture)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with decoder_warnings_ignored():
                yield
        except FilmError:
            raise
        except UnreadablePhoto as error:
            raise FilmError(f"{self.path}: {error}") from error
        except Exception as error:  # a decoder raises any kind at all for a damaged file
            raise FilmError(f"{self.path}: {reason_for(error, 'read')}") from error

    def _check(self, size: tuple[int, ...], count: int) -> None:
        width, height = size
        total = width * height * count
        if total > self._max_pixels:
            raise FilmError(
                f"{self.path}: {count:,} pictures of {width} x {height} pixels are {total / 1e6:,.0f} megapixels, more "
                f"than the {self._max_pixels / 1e6:,.0f} that are held at once; make it smaller or shorter, or take "
                "--first-frame"
            )

    def _look(self, stream: BinaryIO) -> None:
        with self._opened(stream) as animation:
            self.count = getattr(animation, "n_frames", 1)
            self._check(animation.size, self.count)
            loop = animation.info.get("loop")
            self.plays = int(loop if loop is not None else 1)
            if self._format == "GIF":  # which counts repetitions
                self.plays = 1 if loop is None else loop + 1 if loop else 0
            self._lost = (CREDENTIALS,) if has_credentials(stream, self._format or "") else ()
            self.lossless = self._format == "WEBP" and is_lossless_webp(stream)
        if self._format == "GIF":
            self._icc, self._xmp = gif_profile(stream), gif_xmp(stream)

    def _look_at_png(self, stream: BinaryIO) -> None:
        from img2img.photo.png.parts import read_parts

        self._parts = read_parts(stream)
        header, self.count = self._parts.header, len(self._parts.frames)
        self._check((header.width, header.height), self.count + self._parts.has_fallback)
        if not self._parts.frames:
            raise UnreadablePhoto("an animation without frames; --first-frame takes its picture")
        self.plays = self._parts.plays or 0

    def _opened(self, stream: BinaryIO) -> ImageFile.ImageFile:
        stream.seek(0)
        if self._format is None:
            raise ValueError("not an animation")
        return reader_of(self._format)(stream, "")

    def _pictures(self, stream: BinaryIO) -> Iterator[Shown]:
        comments = dict[bytes, None]()
        with self._opened(stream) as animation:
            for number in range(self.count):
                animation.seek(number)
                self._check(animation.size, self.count)  # a GIF's canvas may grow
                picture = animation.convert("RGBA")  # WebP knows a picture's time when it is decoded
                if self._icc is not None:
                    picture.info["icc_profile"] = self._icc
                if self._xmp is not None:
                    picture.info["xmp"] = self._xmp
                comments |= dict.fromkeys(filter(None, [animation.info.get("comment")]))
                self.comment = b"\n".join(comments) or None
                photo = replace(self._photo(picture), lost=self._lost)
                yield Shown(photo, float(animation.info.get("duration", 0)))

    def _png_pictures(self, stream: BinaryIO) -> Iterator[Shown]:
        from img2img.photo.metadata.profiles import color_space
        from img2img.photo.png.description import described
        from img2img.photo.png.frames import shown_pictures
        from img2img.photo.png.reader import info_of

        assert self._parts is not None
        description = described(self._parts)
        lost = (*description.lost, *(["16 bits"] if self._parts.header.depth == 16 else ()))
        if color_space(description.icc) not in ("", "RGB"):
            lost = (*lost, "colour profile (iCCP)")
        frames = zip(self._parts.frames, shown_pictures(stream, self._parts), strict=True)
        for frame, picture in frames:
            picture.info.update(info_of(description))
            photo = replace(self._photo(picture), png=tuple(description.chunks), lost=lost)
            yield Shown(photo, frame.duration)

    @staticmethod
    def _photo(picture: Image.Image) -> Photo:
        opaque = picture.getchannel("A").getextrema() == (_OPAQUE, _OPAQUE)
        info: dict[Any, Any] = {key: value for key, value in picture.info.items() if key != "transparency"}
        picture = picture.convert("RGB") if opaque else picture
        picture.info = info
        return Photo.from_image(picture)
