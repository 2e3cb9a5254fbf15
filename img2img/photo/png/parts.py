"""What a PNG file consists of: header, palette and transparency, the picture, an animation's frames, the rest."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from img2img.photo.png.chunks import Chunk, PngHeader, check_known, chunks_of, data_of, read_png_header

NAMES = {
    b"iCCP": "colour profile",
    b"eXIf": "EXIF",
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
    b"pHYs": "resolution",
    b"tRNS": "transparency",
    b"gAMA": "tone curve",
    b"cHRM": "primaries",
    b"sRGB": "colour space",
    b"cICP": "colour space",
    b"sBIT": "significant bits",
    b"bKGD": "background",
    b"mDCV": "mastering display",
    b"mDCv": "mastering display",
    b"cLLI": "light levels",
    b"cLLi": "light levels",
    b"caBX": "content credentials",
}


@dataclass(frozen=True)
class Frame:
    """One picture of an animation; `picture` is IDAT where it is the file's own, else fdAT.

    left, top: where it goes on the canvas. duration: milliseconds. disposal, blend: APNG's codes.
    """

    width: int
    height: int
    left: int
    top: int
    duration: float
    disposal: int
    blend: int
    picture: list[Chunk]


@dataclass(frozen=True)
class PngParts:
    """`picture`: the IDAT chunks. `frames`: of an animation, whose `plays` is 0 forever, None where it is none.

    `lost` says what cannot be read: a photo is not refused for what is not its picture.
    """

    header: PngHeader
    palette: bytes | None
    transparency: bytes | None
    picture: list[Chunk]
    frames: list[Frame]
    plays: int | None
    beside: list[tuple[bytes, bytes]]
    lost: tuple[str, ...]

    @property
    def has_fallback(self) -> bool:
        """Whether the picture is for programs that show no animation, and no frame of it."""
        return bool(self.frames) and self.frames[0].picture != self.picture

    @property
    def moves(self) -> bool:
        return self.plays is not None and len(self.frames) + self.has_fallback > 1


def read_parts(stream: BinaryIO) -> PngParts:
    """Raises UnreadablePhoto for a PNG that the standard does not know, ValueError for a damaged one."""
    chunks = list(chunks_of(stream))
    header = read_png_header(stream, chunks[0] if chunks else None)
    collected = _Collected(stream)
    for chunk in chunks[1:]:
        if not collected.picture:
            check_known(chunk)
        collected.add(chunk)
    if not collected.picture:
        raise ValueError("a PNG without a picture")
    if header.color_type == 3 and not collected.palette:
        raise ValueError("a PNG without its palette, or one with a wrong checksum")
    palette = collected.palette if header.color_type == 3 else None  # elsewhere it is a suggestion
    plays = collected.plays if collected.controls == 1 else None
    return PngParts(
        header,
        palette,
        collected.transparency if header.color_type in (0, 2, 3) else None,
        collected.picture,
        collected.frames if plays is not None else [],
        plays,
        collected.beside,
        tuple(dict.fromkeys(collected.lost)),
    )


class _Collected:
    """Parts as they come, chunk by chunk."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.palette: bytes | None = None
        self.transparency: bytes | None = None
        self.picture: list[Chunk] = []
        self.frames: list[Frame] = []
        self.plays: int | None = None
        self.controls = 0
        self.beside: list[tuple[bytes, bytes]] = []
        self.lost: list[str] = []

    def add(self, chunk: Chunk) -> None:
        if chunk.kind == b"IDAT":
            self.picture.append(chunk)
            if self.frames:
                self.frames[-1].picture.append(chunk)
        elif chunk.kind == b"fdAT":
            if self.frames and chunk.length > 4:
                self.frames[-1].picture.append(chunk)
        elif chunk.kind not in (b"IEND", b"IHDR"):
            self._add_data(chunk.kind, data_of(self._stream, chunk))

    def _add_data(self, kind: bytes, data: bytes | None) -> None:
        if data is None:
            if kind != b"PLTE":
                self.lost.append(f"{NAMES.get(kind, 'the chunk')} (unreadable {kind.decode()})")
        elif kind == b"PLTE":
            self.palette = self.palette or data
        elif kind == b"tRNS":
            self.transparency = self.transparency or data
        elif kind == b"acTL" and len(data) == 8:
            frames, self.plays = struct.unpack(">2L", data)
            self.controls += 1 if frames else 2
        elif kind == b"fcTL":
            self.frames += [_frame(data)] if len(data) == 26 else []
        else:
            self.beside.append((kind, data))


def _frame(data: bytes) -> Frame:
    _, width, height, left, top, delay, unit, disposal, blend = struct.unpack(">5L2H2B", data)
    return Frame(width, height, left, top, 1000 * delay / (unit or 100), disposal, blend, [])
