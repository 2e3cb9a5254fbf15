"""What a PNG's chunks say of its colours (cICP, sRGB, gAMA, cHRM), as an ICC profile for formats without them."""

from __future__ import annotations

import struct

from img2img.photo.metadata.matrix_profile import SRGB, Chromaticities, matrix_profile
from img2img.photo.metadata.profiles import srgb_profile
from img2img.photo.photo import PngChunks

_D65 = (0.3127, 0.3290)
# ITU-T H.273, table 2: white, red, green, blue by code.
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
_VIDEO = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# Table 3: from the stored value to light. PQ and HLG have no place in a profile of this kind.
_CURVES = {1: _VIDEO, 4: (2.2,), 5: (2.8,), 6: _VIDEO, 8: (1.0,), 13: _SRGB_CURVE, 14: _VIDEO, 15: _VIDEO}


def profile_of(chunks: PngChunks, *, grey: bool) -> bytes | None:
    """The profile of what the chunks say; None where they say nothing, or nothing that a profile can."""
    found = dict(reversed(chunks))
    if b"cICP" in found:
        return _coded(found[b"cICP"], grey=grey)
    if b"sRGB" in found:
        return matrix_profile(SRGB, _SRGB_CURVE, grey=True) if grey else srgb_profile()
    if not {b"gAMA", b"cHRM"} & found.keys():
        return None
    gamma = struct.unpack(">L", found[b"gAMA"])[0] if b"gAMA" in found else 0
    curve = (100_000 / gamma,) if 1000 <= gamma <= 10_000_000 else _SRGB_CURVE
    try:
        return matrix_profile(_chromaticities(found[b"cHRM"]) if b"cHRM" in found else SRGB, curve, grey=grey)
    except ValueError:
        return None


def _coded(data: bytes, *, grey: bool) -> bytes | None:
    """Of values that are RGB and of full range."""
    primaries, transfer, matrix, full_range = data
    if primaries not in _PRIMARIES or transfer not in _CURVES or matrix or not full_range:
        return None
    return matrix_profile(_PRIMARIES[primaries], _CURVES[transfer], grey=grey)


def _chromaticities(data: bytes) -> Chromaticities:
    numbers = [number / 100_000 for number in struct.unpack(">8l", data)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
