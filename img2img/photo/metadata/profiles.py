"""ICC profiles that a coloured photo cannot keep: grey becomes sRGB's tone curve, CMYK and Lab become sRGB.

A grey profile (ICC.1, 8.3.4) is one curve, `kTRC`, from the stored value to the luminance Y. It is applied in
floating point with sRGB's own curve behind it, so that 16-bit values lose nothing to an 8-bit table.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Curve = NDArray[np.float64]


def color_space(icc: bytes | None) -> str:
    """The profile's data colour space: "GRAY", "RGB", "CMYK", "Lab"; "" without a readable one."""
    if icc is None or len(icc) < 132 or icc[36:40] != b"acsp":
        return ""
    return icc[16:20].decode("latin-1").strip()


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def srgb_table(gray_icc: bytes, depth: int) -> NDArray[Any] | None:
    """For each value of a grey in that profile, the sRGB value of equal luminance: 2**depth values.

    None when the profile has no curve that can be read; its values are then taken as sRGB's.
    """
    top = 2**depth - 1
    try:
        luminance = _gray_curve(gray_icc, np.linspace(0.0, 1.0, top + 1))
    except (struct.error, ValueError, IndexError):
        return None
    if luminance is None:
        return None
    encoded: Curve = np.rint(_srgb_encoded(np.clip(luminance, 0.0, 1.0)) * top)
    return encoded.astype(np.uint8 if depth == 8 else np.uint16)


def cmyk_converter(icc: bytes | None) -> tuple[Callable[[Image.Image], Image.Image], bytes | None]:
    """From a CMYK image to an RGB one, and the result's profile: sRGB's, or none if the source had none."""
    if color_space(icc) == "CMYK" and icc is not None:
        from PIL import ImageCms

        try:
            source, target = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
            transform = ImageCms.buildTransform(source, target, "CMYK", "RGB")
        except (ImageCms.PyCMSError, OSError):
            return _naive_rgb, None
        return lambda image: _applied(transform, image), srgb_profile()
    return _naive_rgb, None


def lab_converter() -> Callable[[Image.Image], Image.Image]:
    """From a LAB image (D50, as Pillow and TIFF have it) to sRGB."""
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    return lambda image: _applied(transform, image)


def _applied(transform: object, image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    assert isinstance(transform, ImageCms.ImageCmsTransform)
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


def _naive_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def _gray_curve(icc: bytes, values: Curve) -> Curve | None:
    """Y in 0..1 for grey values in 0..1 (in a profile whose connection space is Lab the curve gives L*)."""
    if color_space(icc) != "GRAY":
        return None
    for i in range(struct.unpack_from(">L", icc, 128)[0]):
        signature, offset, size = struct.unpack_from(">4sLL", icc, 132 + 12 * i)
        if signature == b"kTRC":
            curve = _curve(icc[offset : offset + size], values)
            return _luminance_of_lightness(curve * 100) if icc[20:24] == b"Lab " else curve
    return None


def _curve(data: bytes, x: Curve) -> Curve:
    """curveType and parametricCurveType (ICC.1, 10.6 and 10.18)."""
    if data[:4] == b"curv":
        count = struct.unpack_from(">L", data, 8)[0]
        if count == 0:
            return x
        numbers = struct.unpack_from(f">{count}H", data, 12)
        if count == 1:
            return np.asarray(np.power(x, numbers[0] / 256.0))
        return np.interp(x, np.linspace(0.0, 1.0, count), np.asarray(numbers) / 65535.0)
    if data[:4] != b"para":
        raise ValueError("no curve")
    kind = struct.unpack_from(">H", data, 8)[0]
    g, a, b, c, d, e, f = _parameters(kind, data)
    return np.where(x >= d, np.power(np.maximum(a * x + b, 0.0), g) + e, c * x + f)


def _parameters(kind: int, data: bytes) -> tuple[float, ...]:
    """g, a, b, c, d, e, f of Y = (aX + b)^g + e where X >= d, else cX + f."""
    count = (1, 3, 4, 5, 7)[kind]
    p = [n / 65536.0 for n in struct.unpack_from(f">{count}l", data, 12)]
    if kind == 0:
        return p[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind in (1, 2):
        g, a, b = p[:3]
        c = p[3] if kind == 2 else 0.0
        return g, a, b, 0.0, -b / a if a else 0.0, c, c
    return (*p, 0.0, 0.0) if kind == 3 else tuple(p)


def _luminance_of_lightness(lightness: Curve) -> Curve:
    f = (lightness + 16) / 116
    return np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)


def _srgb_encoded(linear: Curve) -> Curve:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
