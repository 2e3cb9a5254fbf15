"""The same file through decoders that img2img does not read it with: OpenCV, pypng, tifffile."""

from __future__ import annotations

import io
import logging
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass

import cv2
import numpy as np
import png
import tifffile
from PIL import Image

from fuzz.samples.sample import Pixels
from fuzz.verdict import AGREED, ALONE, Verdict
from img2img.photo import Photo

Values = Pixels
"""(H, W, 4) int32: red, green, blue, alpha, from 0 to 65535."""

_STEP = 257  # of 8 bits in 16
_MOST = 65535
_ORIENTATIONS = (
    b"\x12\x01\x03\0",
    b"\x01\x12\0\x03",
    b"\x12\x01\x04\0",
    b"\x01\x12\0\x04",
    b"Orientation",
    b"irot",
    b"imir",
)
_LOSSY = ("JPEG", "HEIF", "AVIF")


@dataclass(frozen=True)
class Tolerance:
    """In 8-bit steps: of any value, and of the mean."""

    value: float
    mean: float


EXACT = Tolerance(1, 0.5)  # rounding, as of premultiplied colours
LOSSY = Tolerance(24, 2)  # two builds of the same transform and of the enlarging of chroma


def compared(photo: Photo, data: bytes) -> Verdict:
    """With the first decoder that reads the file, the strictest first."""
    other = next(_others(data, photo.format), None) if _comparable(photo, data) else None
    if other is None:
        return Verdict(ALONE)
    name, values = other
    tolerance = LOSSY if photo.format in _LOSSY or _is_lossy(data) else EXACT
    may_turn = any(tag in data for tag in _ORIENTATIONS)
    difference = least_difference(of_photo(photo), values, tolerance, may_turn=may_turn)
    return Verdict("differs", f"from {name}: {difference}") if difference else Verdict(AGREED)


def of_photo(photo: Photo) -> Values:
    pixels = np.asarray(photo.to_image().convert("RGB")) if photo.space == "YCbCr" else photo.pixels
    return _values(pixels, photo.alpha)


def least_difference(ours: Values, other: Values, tolerance: Tolerance, *, may_turn: bool = False) -> str | None:
    """Nothing where they are the same within the tolerance; with `may_turn`, turned in any way."""
    candidates = [other]
    if may_turn:
        turned = [np.rot90(other, turns) for turns in range(4)]
        candidates = [*turned, *(each[:, ::-1] for each in turned)]
    said = [_difference(ours, each, tolerance) for each in candidates]
    return None if None in said else said[0]


def _difference(ours: Values, other: Values, tolerance: Tolerance) -> str | None:
    if ours.shape != other.shape:
        return f"{ours.shape[1]} x {ours.shape[0]} pixels, not {other.shape[1]} x {other.shape[0]}"
    apart = np.abs(ours - other) / _STEP
    apart[(ours[..., 3] == 0) & (other[..., 3] == 0), :3] = 0  # nobody sees their colour
    if apart.max() <= tolerance.value and apart.mean() <= tolerance.mean:
        return None
    channel = "alpha" if apart[..., :3].max() <= tolerance.value else "colour"
    return f"{channel} by {apart.max():.0f}, on average {apart.mean():.2f}, of 255"


def _values(color: Pixels, alpha: Pixels | None = None, most: int | None = None) -> Values:
    """Of (H, W) or (H, W, 1 to 4), of which an even number ends with alpha; white is `most`."""
    most = most or int(np.iinfo(color.dtype).max)
    planes = color.reshape(*color.shape[:2], -1).astype(np.int64)
    if planes.shape[2] in (2, 4):
        planes, alpha = planes[..., :-1], planes[..., -1]
    rgb = np.broadcast_to(planes, (*planes.shape[:2], 3))
    opacity = np.full(planes.shape[:2], most) if alpha is None else alpha
    return ((np.dstack([rgb, opacity]) * _MOST + most // 2) // most).astype(np.int32)


def _comparable(photo: Photo, data: bytes) -> bool:
    """Not where colours are converted by a profile, which the others leave out."""
    if photo.format == "HEIF":
        return False
    with Image.open(io.BytesIO(data), formats=[photo.format]) as opened:
        mode, profile = opened.mode, opened.info.get("icc_profile")
    return mode not in ("CMYK", "LAB") and not (profile and mode in ("1", "L", "LA", "I;16", "I;16B", "P"))


def _is_lossy(data: bytes) -> bool:
    if data.startswith(b"RIFF"):
        return b"VP8 " in data
    with Image.open(io.BytesIO(data)) as opened:
        return opened.format == "TIFF" and opened.info.get("compression") == "jpeg"


def _others(data: bytes, format: str) -> Iterator[tuple[str, Values]]:
    for name, decode in _DECODERS.get(format, {}).items():
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                values = decode(data)
            except Exception:  # a decoder may refuse what it likes
                continue
        if values is not None:
            yield name, values


def _by_opencv(data: bytes) -> Values | None:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype not in (np.uint8, np.uint16):
        return None
    if decoded.ndim == 3:
        decoded = np.concatenate([decoded[..., 2::-1], decoded[..., 3:]], axis=2)
    return _values(decoded)


def _png_by_opencv(data: bytes) -> Values | None:
    """Not with tRNS, of which it makes an alpha of its own kind."""
    return None if b"tRNS" in data else _by_opencv(data)


def _bmp_by_opencv(data: bytes) -> Values | None:
    """Not where the pixels begin within the palette: colours are anybody's guess."""
    pixels_at, header, bits, used = struct.unpack_from("<10xLL10xH16xL", data)
    colors = (used or 1 << bits) if bits <= 8 else 0
    return _by_opencv(data) if 14 + header + 4 * colors <= pixels_at else None


def _tiff_by_opencv(data: bytes) -> Values | None:
    """Grey and colour in one plane; what else it reads, it takes for these."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].aspage().tags  # all of them: Pillow has none behind one that it cannot read
    plain = 338 not in tags and tags.valueof(277, 1) in (1, 3) and tags.valueof(284, 1) == 1
    return _by_opencv(data) if plain and tags.valueof(262) in (1, 2, 3, 6) else None


def _by_pypng(data: bytes) -> Values | None:
    if data.count(b"IHDR") > 1:  # it takes the last one, img2img the first
        return None
    if b"IDAT" in data and data.rfind(b"tRNS") > data.find(b"IDAT"):  # too late: the standard has it before
        return None
    reader = png.Reader(bytes=data)
    reader.preamble()
    if reader.transparent and max(reader.transparent) >> reader.bitdepth:  # bits to be left out, as 11.3.1.1 has it
        return None
    reader.sbit = None  # it would leave bits out
    width, height, rows, info = reader.asDirect()
    samples = np.array([list(row) for row in rows])
    return _values(samples.reshape(height, width, info["planes"]), most=2 ** info["bitdepth"] - 1)


def _by_tifffile(data: bytes) -> Values | None:
    """Not where it says that something is missing: it fills that with what it likes."""
    said = _Said()
    log = logging.getLogger("tifffile")
    log.addHandler(said)
    try:
        values = _values_by_tifffile(data)
    finally:
        log.removeHandler(said)
    return None if said.anything else values


class _Said(logging.Handler):
    anything = False

    def emit(self, record: logging.LogRecord) -> None:
        self.anything = True


def _values_by_tifffile(data: bytes) -> Values | None:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        kind = tifffile.PHOTOMETRIC(page.photometric).name
        if kind not in ("MINISBLACK", "MINISWHITE", "RGB") or page.sampleformat not in (1, None):
            return None
        if page.extrasamples and int(page.extrasamples[0]) != 2:
            return None
        if page.tags.valueof(284, 1) not in (1, 2):  # which it guesses at
            return None
        if 0 in page.databytecounts:  # it fills such a strip with zeros, libtiff reads it to its end
            return None
        values = page.asarray()
        values = np.moveaxis(values, 0, -1) if page.axes.startswith("S") else values
        most = 2**page.bitspersample - 1
        return _values(most - values if kind == "MINISWHITE" else values, most=most)


_DECODERS: dict[str, dict[str, Callable[[bytes], Values | None]]] = {
    "PNG": {"pypng": _by_pypng, "OpenCV": _png_by_opencv},
    "BMP": {"OpenCV": _bmp_by_opencv},
    "TIFF": {"tifffile": _by_tifffile, "OpenCV": _tiff_by_opencv},
    **{name: {"OpenCV": _by_opencv} for name in ("JPEG", "WEBP", "GIF", "AVIF")},
}
