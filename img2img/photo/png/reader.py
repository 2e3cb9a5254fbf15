"""A PNG file becomes a Photo: its picture decoded by Pillow, what is said about it read from its chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from PIL.PngImagePlugin import PngImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import check_size
from img2img.photo.image_info import side_of
from img2img.photo.metadata.profiles import color_space
from img2img.photo.photo import Photo
from img2img.photo.png.deep_reader import deep_photo
from img2img.photo.png.description import Description, described, dpi_of
from img2img.photo.png.parts import PngParts, read_parts
from img2img.photo.png.picture_file import picture_file
from img2img.photo.png.rows import WholePngFile, check_rows


def read_png(stream: BinaryIO, max_pixels: int, first_frame: bool) -> Photo:
    """Raises UnreadablePhoto; ValueError and more for damage."""
    parts = read_parts(stream)
    check_size((parts.header.width, parts.header.height), max_pixels)
    if parts.moves and not first_frame:
        raise UnreadablePhoto("an animation; --first-frame takes its first picture")
    return picture_of(stream, parts)


def picture_of(stream: BinaryIO, parts: PngParts, description: Description | None = None) -> Photo:
    """The photo in the parts of a PNG file. The description is the file's own, unless another is given."""
    description = described(parts) if description is None else description
    by_code = any(kind == b"cICP" for kind, _ in description.chunks)  # before any profile
    icc = description.icc if not by_code or color_space(description.icc) == "RGB" else None
    info = info_of(replace(description, icc=icc)) | {"transparency": _key(parts)}

    def opened() -> PngImageFile:
        file = picture_file(stream, parts.header, parts.palette, parts.picture)
        image = WholePngFile(file, partial(check_rows, stream, parts.header, parts.picture))
        image.info.update({key: value for key, value in info.items() if value is not None})
        return image

    photo = deep_photo(opened) if parts.header.depth == 16 else Photo.from_image(opened())
    chunks = _upright(description.chunks, side_of(opened()))
    if photo.icc != icc:  # the pixels were brought from it to sRGB
        chunks = [each for each in chunks if each[0] not in (b"gAMA", b"cHRM", b"sRGB")]
    return replace(photo, png=tuple(chunks), lost=(*description.lost, *_more_lost(photo, parts, description)))


def info_of(description: Description) -> dict[str, Any]:
    """As Pillow has it in an image's `info`."""
    info: dict[str, Any] = {"icc_profile": description.icc, "exif": description.exif, "xmp": description.xmp}
    if description.dots is not None:
        info["dpi"] = dpi_of(description.dots)
    return {key: value for key, value in info.items() if value is not None}


def _more_lost(photo: Photo, parts: PngParts, description: Description) -> Iterator[str]:
    if description.icc is not None and photo.icc is None:
        yield "colour profile (iCCP)"
    if parts.transparency is not None and photo.alpha is None:
        yield "transparency (unreadable tRNS)"


def _key(parts: PngParts) -> Any:
    """What tRNS says, in the words of Pillow's `info`: a value as stored, three, or opacities of a palette."""
    data, header = parts.transparency, parts.header
    if data is None:
        return None
    if header.color_type == 3:
        return data[:256]
    count = 3 if header.color_type == 2 else 1
    if len(data) < 2 * count:
        return None
    mask = 2**header.depth - 1  # a sample's own bits, whatever lies above them: 11.3.1.1
    values = tuple(value & mask for value in struct.unpack(f">{count}H", data[: 2 * count]))
    if header.depth == 1:
        return 255 * values[0]
    return values if count == 3 else values[0]


def _upright(chunks: list[tuple[bytes, bytes]], side: int) -> list[tuple[bytes, bytes]]:
    """The pixels' aspect turned with them."""
    if side < 5:
        return chunks
    return [(kind, data[4:8] + data[:4] + data[8:] if kind == b"pHYs" else data) for kind, data in chunks]
