"""Animations in every format, each with all that it can hold."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image
from png_bytes import SIGNATURE, chunk, packed_rows

from kept.photo_files import gif_blocks, with_credentials
from kept.photo_parts import DPI, REMARK, SRGB, TITLE, exif_block, image, samples, saved, xmp_packet
from kept.tables import Files

DURATIONS = [80, 120, 200]
_LOOP = 3  # times in all, where the format counts them so


def _pictures(mode: str = "RGBA") -> list[Image.Image]:
    return [image(mode).rotate(90 * step, expand=False) for step in range(3)]


def webp_files() -> Files:
    first, *rest = _pictures()
    options = {"icc_profile": SRGB, "exif": exif_block(None), "xmp": xmp_packet(), "lossless": True}
    moving = {"save_all": True, "append_images": rest, "duration": DURATIONS, "loop": _LOOP}
    return {"all": with_credentials(saved(first, "WEBP", **options, **moving))}


def gif_files() -> Files:
    first, *rest = _pictures()
    moving = {"save_all": True, "append_images": rest, "duration": DURATIONS, "loop": _LOOP - 1}
    plain = saved(first, "GIF", comment=REMARK.encode(), disposal=2, **moving)
    at = plain.index(b"\x21\xff\x0bNETSCAPE")
    return {"all": plain[:at] + gif_blocks() + plain[at:]}


def png_files() -> Files:
    """By hand, with a picture that is no part of the animation, for programs that show none."""
    dots = struct.pack(">2LB", *(round(each / 0.0254) for each in DPI), 1)
    before = [(b"acTL", struct.pack(">2L", len(DURATIONS), _LOOP)), (b"pHYs", dots)]
    before += [(b"iCCP", b"ICC\0\0" + zlib.compress(SRGB)), (b"eXIf", exif_block(None)[6:])]
    before += [(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + xmp_packet()), (b"tEXt", f"Title\0{TITLE}".encode())]
    before += [(b"iTXt", b"Comment" + bytes(5) + REMARK.encode()), (b"caBX", b"jumb credentials")]
    return {"all": _apng(before, 8, fallback=True), "16 bits": _apng(before[:1], 16, fallback=False)}


def _apng(before: list[tuple[bytes, bytes]], depth: int, *, fallback: bool) -> bytes:
    picture = np.asarray(samples(4, 2**depth - 1))
    height, width = picture.shape[:2]
    parts = [SIGNATURE, chunk(b"IHDR", struct.pack(">2L5B", width, height, depth, 6, 0, 0, 0))]
    parts += [chunk(*each) for each in before]
    number = 0
    for step, duration in enumerate([0] * fallback + DURATIONS):
        packed = packed_rows(np.roll(picture, 4 * step, axis=1), depth)
        if fallback and step == 0:
            parts.append(chunk(b"IDAT", packed))
            continue
        control = struct.pack(">5L2H2B", number, width, height, 0, 0, duration, 1000, 0, 0)
        first = number == 0 and not fallback
        data = chunk(b"IDAT", packed) if first else chunk(b"fdAT", struct.pack(">L", number + 1) + packed)
        parts += [chunk(b"fcTL", control), data]
        number += 1 if first else 2
    return b"".join([*parts, chunk(b"IEND", b"")])


ANIMATIONS = {"GIF": (".gif", gif_files), "WebP": (".webp", webp_files), "APNG": (".png", png_files)}
