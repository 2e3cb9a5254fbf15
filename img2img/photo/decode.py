"""An opened Pillow image becomes a Photo's fields: every mode to grey or RGB and alpha, strip by strip, upright."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.image_info import Metadata, lost_of, metadata, side_of
from img2img.photo.jpeg_settings import JpegSettings, jpeg_settings
from img2img.photo.metadata.profiles import cmyk_converter, color_space, lab_converter, srgb_profile, srgb_table
from img2img.photo.pixels import Pixels, strips

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The mode that each of Pillow's modes is converted to; with transparency in `info`, the one with alpha.
_TARGET_MODES = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "YCbCr": "RGB",
}
_COPIED_AT_ONCE = 1 << 18  # pixels: a small photo as a whole
_REFUSED_MODES = {
    "I": "32-bit integer samples",
    "F": "floating-point samples",
    "I;16": "16-bit samples in a format that keeps 8",
    "I;16B": "16-bit samples in a format that keeps 8",
}


class Decoded(Metadata):
    """A Photo's fields, of an image of 8 bits."""

    pixels: Pixels
    space: Literal["L", "RGB"]
    alpha: Pixels | None
    icc: bytes | None
    format: str
    jpeg: JpegSettings | None
    lost: tuple[str, ...]


def decoded(image: Image.Image, *, turned: bool = False) -> Decoded:
    """With `turned` its pixels are upright already. UnreadablePhoto for modes without meaning."""
    if 0 in image.size:
        raise UnreadablePhoto(f"{image.width} x {image.height} pixels: there is nothing to convert in an empty image")
    _scale_key(image)
    lost = lost_of(image)
    image.load()
    side = 1 if turned else side_of(image)
    told_side = image.info.get("original_orientation") or 1 if turned else side
    size = image.size if not turned or told_side < 5 else (image.height, image.width)
    pixels, alpha, icc = _pixels(image.transpose(_TURNS[side]) if side in _TURNS else image)
    return {
        "pixels": pixels,
        "space": "L" if pixels.ndim == 2 else "RGB",
        "alpha": alpha,
        "icc": icc,
        "format": "JPEG" if image.format == "MPO" else image.format or "PNG",
        "jpeg": jpeg_settings(image, side),
        "lost": lost,
        **metadata(image, told_side, size),
    }


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Raises UnreadablePhoto above the limit; to be called before any memory for pixels is taken."""
    width, height = size
    if width * height > max_pixels:
        raise UnreadablePhoto(
            f"{width} x {height} pixels are {width * height / 1e6:,.0f} megapixels, more than --max-pixels "
            f"{max_pixels} allows; raise it if the file can be trusted"
        )


def profiled(pixels: Pixels, icc: bytes | None) -> tuple[Pixels, bytes | None]:
    """Grey or RGB pixels and the profile that a colour photo can keep: a grey profile gives way to sRGB's."""
    if color_space(icc) in ("", "RGB") or icc is None:
        return pixels, icc
    if pixels.ndim == 2 and color_space(icc) == "GRAY":
        table = srgb_table(icc, pixels.itemsize * 8)
        if table is not None:
            return table[pixels], srgb_profile()
    return pixels, None


def upright(values: Pixels, side: int) -> Pixels:
    """The array turned upright from an EXIF orientation, C-contiguous."""
    turned = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }.get(side, lambda a: a)(values)
    return np.ascontiguousarray(turned)


def keyed_alpha(samples: Pixels, key: Any) -> Pixels | None:
    """Of (H, W, samples) in 16 bits: 0 where all have the key's values (tRNS), 65535 elsewhere; None without a key."""
    if key is None:
        return None
    opaque = np.any(samples != np.asarray(key, np.uint16), axis=2)
    return np.where(opaque, np.uint16(65535), np.uint16(0))


def _scale_key(image: Image.Image) -> None:
    """Of a PNG with 2 or 4 bits: Pillow brings its greys to 8 bits when it loads them, not the transparent one."""
    key = image.info.get("transparency")
    if isinstance(key, int) and isinstance(image, ImageFile.ImageFile) and image.tile:
        scale = {"L;2": 85, "L;4": 17}.get(str(image.tile[0].args), 1)
        image.info["transparency"] = key * scale


def _pixels(image: Image.Image) -> tuple[Pixels, Pixels | None, bytes | None]:
    icc = image.info.get("icc_profile") or None
    if image.mode == "CMYK":
        convert, icc = cmyk_converter(icc)
        return *_copied(image, "RGB", convert), icc
    if image.mode == "LAB":
        return *_copied(image, "RGB", lab_converter()), srgb_profile()
    if image.mode == "I;16" and image.format in (None, "PNG", "TIFF"):
        values = np.array(image, np.uint16)
        return values, keyed_alpha(values[..., None], image.info.get("transparency")), icc
    mode = _target_mode(image)
    pixels, alpha = _copied(image, mode, lambda strip: strip if strip.mode == mode else strip.convert(mode))
    pixels, icc = profiled(pixels, icc)
    return pixels, alpha, icc


def _target_mode(image: Image.Image) -> str:
    if image.mode not in _TARGET_MODES:
        kind = _REFUSED_MODES.get(image.mode, f"pixels of mode {image.mode}")
        raise UnreadablePhoto(f"{kind} cannot be converted; save it with 8 or 16 bits per channel")
    mode = _TARGET_MODES[image.mode]
    if "transparency" in image.info and mode in ("L", "RGB"):
        return {"L": "LA", "RGB": "RGBA"}[mode]
    return mode


def _copied(
    image: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]
) -> tuple[Pixels, Pixels | None]:
    """Pixels and alpha in their own memory; beyond them no more than a strip at a time."""
    width, height = image.size
    pixels = np.empty((height, width) if mode in ("L", "LA") else (height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if mode.endswith("A") else None
    for rows in strips(height, width, _COPIED_AT_ONCE):
        is_whole = rows.stop - rows.start == height
        strip = np.asarray(convert(image if is_whole else image.crop((0, rows.start, width, rows.stop))))
        if alpha is None:
            pixels[rows] = strip
        else:
            pixels[rows] = strip[..., 0] if mode == "LA" else strip[..., :3]
            alpha[rows] = strip[..., -1]
    return pixels, alpha
