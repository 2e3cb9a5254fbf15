"""Colours as people write them, and where they lie in Lab."""

from __future__ import annotations

import re

import numpy as np

from img2img.errors import UsageError
from img2img.lab import Floats, rgb_to_lab

Color = tuple[int, int, int]
"""sRGB, 0 to 255."""


def parse_color(text: str) -> Color:
    """The colour of "#8a2b2b", "8a2b2b" or "#a22". Raises UsageError."""
    digits = text.strip().removeprefix("#")
    if not re.fullmatch("[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits):
        raise UsageError(f"{text!r} is not a colour: write red, green and blue in hexadecimal, such as #8a2b2b")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def hexadecimal(color: Color) -> str:
    """As "#8a2b2b"."""
    return "#" + bytes(color).hex()


def ab_of(color: Color) -> Floats:
    """Its a and b (2,), in units of CIE Lab."""
    rgb = np.array(color, np.float32).reshape(3, 1, 1) / np.float32(255)
    ab: Floats = rgb_to_lab(rgb)[1:, 0, 0]
    return ab
