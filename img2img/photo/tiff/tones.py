"""Samples of a TIFF become a photo's pixels: which number is black, which colours are meant (TIFF 6.0).

Grey and RGB keep their depth, scaled to 8 or 16 bits; palettes, YCbCr, CMYK and Lab become RGB of 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import profiled
from img2img.photo.metadata.profiles import cmyk_converter, lab_converter, srgb_profile
from img2img.photo.pixels import Pixels, as_8_bit, pillow_image, strips
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page
from img2img.photo.tiff.ycbcr import rgb_of_ycbcr

_ICC = 34675
_CMYK_INKS = 1
_SAMPLE_KINDS = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex numbers"}
_UNKNOWN_COLORS = {10: "ITU Lab", 32844: "LogL", 32845: "LogLuv", 51177: "depths"}
_KNOWN = (
    tags.MIN_IS_WHITE,
    tags.MIN_IS_BLACK,
    tags.RGB,
    tags.PALETTE,
    tags.CMYK,
    tags.YCBCR,
    tags.CIE_LAB,
    tags.ICC_LAB,
)
_MULTIPLIED = (tags.MIN_IS_WHITE, tags.MIN_IS_BLACK, tags.RGB, tags.CMYK)
Tones = tuple[Pixels, bytes | None]


def check_tones(page: Page) -> None:
    """UnreadablePhoto for samples without a known black and white, and for colours that are not known."""
    kind = next((kind for kind in page.numbers(tags.SAMPLE_FORMAT, 1) if kind in _SAMPLE_KINDS), 1)
    if kind != 1:
        raise UnreadablePhoto(
            f"its samples are {_SAMPLE_KINDS[int(kind)]}, black and white unknown; save it with 8 or 16 bits"
        )
    photometric, bits = page.photometric, page.bits
    if photometric not in _KNOWN:
        name = _UNKNOWN_COLORS.get(photometric, f"of kind {photometric}")
        raise UnreadablePhoto(f"TIFF with colours {name} is not supported; save it as grey or RGB")
    if not 1 <= bits <= 16:
        raise UnreadablePhoto(f"{bits} bits per sample; save it with 8 or 16")
    if photometric in (tags.YCBCR, tags.CIE_LAB, tags.ICC_LAB) and bits != 8 and page.colors > 1:
        raise UnreadablePhoto(f"{bits} bits in a colour space other than grey or RGB; save it as RGB or with 8 bits")
    if photometric == tags.CMYK and page.number(tags.INK_SET, _CMYK_INKS) != _CMYK_INKS:
        raise UnreadablePhoto("inks other than cyan, magenta, yellow and black; save it as RGB")
    _check_count(page)


def _check_count(page: Page) -> None:
    if page.samples < page.colors:
        raise UnreadablePhoto(f"{page.samples} channels where its colours need {page.colors}; save it as grey or RGB")
    if page.colors == 1 and page.samples > 2:
        raise UnreadablePhoto(f"{page.samples} channels, of which nobody says that they are colours; save it as RGB")


def pixels_of(samples: NDArray[Any], page: Page, *, is_rgb: bool = False) -> Tones:
    """Grey or RGB and the profile that they keep. With `is_rgb` the decoder made RGB of YCbCr already."""
    icc = page.bytes(_ICC)
    kind = tags.RGB if is_rgb else page.photometric
    color = samples[..., : page.colors]
    if kind == tags.PALETTE:
        return _looked_up(color[..., 0], page), icc
    color = scaled(color, page.bits)
    if kind == tags.CMYK:
        convert, icc = cmyk_converter(icc)
        return _converted(as_8_bit(color), "CMYK", convert), icc
    if kind in (tags.CIE_LAB, tags.ICC_LAB):
        # CIE Lab's a and b are signed, as Pillow takes them; ICC Lab's start at -128.
        lab = color ^ np.array([0, 128, 128], np.uint8) if kind == tags.ICC_LAB else color
        return _converted(lab, "LAB", lab_converter()), srgb_profile()
    if kind == tags.YCBCR and page.colors == 3:
        return rgb_of_ycbcr(color, page), icc
    pixels = color if kind == tags.RGB else color[..., 0]
    return profiled(~pixels if kind == tags.MIN_IS_WHITE else pixels, icc)


def alpha_of(samples: NDArray[Any], page: Page, pixels: Pixels) -> Pixels | None:
    """The sample behind the colour where it is alpha, in the pixels' depth."""
    if page.extra_kind not in (1, 2):
        return None
    alpha = scaled(samples[..., page.colors], page.bits)
    return as_8_bit(alpha) if pixels.dtype == np.uint8 else alpha


def plain(samples: NDArray[Any], page: Page) -> NDArray[Any]:
    """Colour that was multiplied with its alpha as it was before."""
    if page.extra_kind != 1 or page.photometric not in _MULTIPLIED:
        return samples
    top = 2**page.bits - 1
    result = samples.copy()
    for rows in strips(*samples.shape[:2]):
        alpha = np.maximum(samples[rows, :, page.colors :][..., :1], 1).astype(np.uint32)
        color = samples[rows, :, : page.colors].astype(np.uint32)
        result[rows, :, : page.colors] = np.minimum((color * top + alpha // 2) // alpha, top)
    return result


def scaled(values: NDArray[Any], bits: int) -> Pixels:
    """From 0 .. 2**bits - 1 to all of uint8 or uint16, rounded."""
    if bits in (8, 16):
        return values
    dtype, top = (np.uint8, 255) if bits < 8 else (np.uint16, 65535)
    most = 2**bits - 1
    table = (np.arange(2**bits, dtype=np.int64) * top + most // 2) // most
    result: Pixels = table.astype(dtype)[values]
    return result


def _looked_up(index: NDArray[Any], page: Page) -> Pixels:
    """Colours of 16 bits each, all red, then green, then blue; some writers stored 8 bits."""
    colors = np.array(page.whole_numbers(tags.COLOR_MAP), np.uint16)
    if len(colors) != 3 * 2**page.bits:
        raise ValueError(f"a colour map of {len(colors)} numbers for {page.bits} bits")
    if colors.max() > 255:
        colors >>= 8
    table = np.ascontiguousarray(colors.astype(np.uint8).reshape(3, -1).T)
    result: Pixels = table[index]
    return result


def _converted(values: Pixels, mode: str, convert: Callable[[Image.Image], Image.Image]) -> Pixels:
    pixels = np.empty((*values.shape[:2], 3), np.uint8)
    for rows in strips(*values.shape[:2]):
        pixels[rows] = np.asarray(convert(pillow_image(values[rows], mode)))
    return pixels
