"""CIE Lab in numpy (sRGB, D65), as `kornia.color` has it: for the small pictures that networks see.

Also the constants of sRGB and of luma, for everyone who computes with them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BT601 = (0.299, 0.587, 0.114)
"""Of R, G and B in the luma of JPEG, Pillow and standard-definition television."""
BT709 = (0.2126, 0.7152, 0.0722)
"""Of R, G and B in the luma of high-definition television."""
XYZ_OF_RGB = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""X, Y and Z of linear sRGB, by rows."""
D65 = (0.95047, 1.0, 1.08883)
"""X, Y and Z of sRGB's white."""

_XYZ_FROM_RGB = np.array(XYZ_OF_RGB, np.float32)
_XYZ_FROM_RGB /= np.array(D65, np.float32)[:, None]  # X, Y and Z are always taken relative to white
_RGB_FROM_XYZ = np.linalg.inv(_XYZ_FROM_RGB.astype(np.float64)).astype(np.float32)


def rgb_to_lab(rgb: Floats) -> Floats:
    """Lab (3, h, w), L 0 to 100, of sRGB (3, h, w) in [0, 1]."""
    xyz = _matrix(_XYZ_FROM_RGB, _linear(rgb))
    x, y, z = np.where(xyz > 0.008856, np.cbrt(np.maximum(xyz, 0.008856)), 7.787 * xyz + 4 / 29)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def lab_to_rgb(lab: Floats) -> Floats:
    """sRGB (3, h, w) in [0, 1] of Lab (3, h, w), clipped per channel as Kornia does."""
    return gamma(np.clip(lab_to_linear(lab), 0, 1))


def lab_to_linear(lab: Floats) -> Floats:
    """Linear R, G and B (3, h, w) of Lab (3, h, w): in [0, 1] for colours inside sRGB."""
    light, a, b = lab
    y = (light + 16) / 116
    root = np.stack([y + a / 500, y, np.maximum(y - b / 200, 0)])
    xyz = root * root
    xyz *= root
    dark = root <= 0.2068966
    if dark.any():  # few are
        xyz[dark] = (root[dark] - 4 / 29) / 7.787
    return _matrix(_RGB_FROM_XYZ, xyz)


def gamma(linear: Floats) -> Floats:
    """sRGB's curve, from linear light to what files hold."""
    curved = np.maximum(linear, 0.0031308)
    curved **= np.float32(1 / 2.4)
    curved *= 1.055
    curved -= 0.055
    dark = linear <= 0.0031308
    if dark.any():
        curved[dark] = 12.92 * linear[dark]
    return curved


def lightness(grey: npt.NDArray[np.uint8]) -> Floats:
    """CIE L*, 0 to 100, of sRGB greys."""
    light: Floats = _LIGHTNESS.take(grey)
    return light


def luminance(grey: npt.NDArray[np.uint8]) -> Floats:
    """Linear light, 0 to 1, of sRGB greys: R, G and B of Lab's (lightness, 0, 0)."""
    light: Floats = _LUMINANCE.take(grey)
    return light


def _linear(rgb: Floats) -> Floats:
    return np.where(rgb > 0.04045, ((np.maximum(rgb, 0.04045) + 0.055) / 1.055) ** np.float32(2.4), rgb / 12.92)


def _matrix(matrix: Floats, planes: Floats) -> Floats:
    """Written out: BLAS would start threads for it, which get in the way of the photos beside this one."""
    x, y, z = planes
    mixed = np.empty_like(planes)
    for plane, (a, b, c) in zip(mixed, matrix, strict=True):
        np.multiply(a, x, out=plane)
        plane += b * y
        plane += c * z
    return mixed


_GREYS = np.linspace(0, 1, 256, dtype=np.float32)
_LUMINANCE = _linear(_GREYS)
_LIGHTNESS = rgb_to_lab(np.broadcast_to(_GREYS, (3, 1, 256)))[0]
