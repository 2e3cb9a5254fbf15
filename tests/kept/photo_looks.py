"""What a photo's file says, by readers that are not ours: Pillow, tifffile, and the bytes themselves."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, IptcImagePlugin
from png_bytes import chunks_in

from kept.tables import LONG_AGO

CAMERA, PLACE = 0x8769, 0x8825


def opened(path: Path) -> Any:
    """By Pillow, with pillow_heif for HEIC: there is no class that has all that is asked of it."""
    if path.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    return Image.open(io.BytesIO(path.read_bytes()))


def _tags(path: Path) -> Image.Exif:
    exif: Image.Exif = opened(path).getexif()
    return exif


def orientation(path: Path) -> tuple[int, list[int]] | None:
    """The EXIF orientation, and the brightness of the picture's quarters as it is to be shown."""
    image = opened(path)
    if image.format in ("BMP", "GIF"):
        return None
    side = image.info.get("original_orientation") or image.getexif().get(0x0112, 1)
    shown = ImageOps.exif_transpose(image).convert("RGBA")
    grey = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("L").resize((2, 2))
    return side, np.argsort(np.asarray(grey), axis=None).tolist()


def camera(path: Path) -> Any:
    exif = _tags(path)
    taken = exif.get_ifd(CAMERA).get(0x9003)
    return (exif.get(0x010F), taken) if taken else None


def maker_note(path: Path) -> Any:
    return _tags(path).get_ifd(CAMERA).get(0x927C)


def places_in_exif(path: Path) -> Any:
    """Width, height, the subject's area."""
    entries = _tags(path).get_ifd(CAMERA)
    return (entries[0xA002], entries[0xA003], entries[0x9214]) if 0x9214 in entries else None


def latitude(path: Path) -> Any:
    return _tags(path).get_ifd(PLACE).get(2)


def exif_thumbnail(path: Path) -> Any:
    if path.suffix == ".tif":  # its second directory would be a page
        return None
    return _tags(path).get_ifd(ExifTags.IFD.IFD1) or None


def _xmp(path: Path) -> str:
    info = opened(path).info
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    if path.suffix == ".gif":
        packet = path.read_bytes().partition(b"XMP DataXMP")[2]
    return packet if isinstance(packet, str) else packet.decode("utf-8", "replace")


def xmp_title(path: Path) -> Any:
    found = re.search(r'dc:title="([^"]*)"', _xmp(path))
    return found and found[1]


def face(path: Path) -> dict[str, float] | None:
    return {name: float(value) for name, value in re.findall(r'stArea:([xywh])="([\d.]+)"', _xmp(path))} or None


def xmp_thumbnail(path: Path) -> Any:
    return "xmp:Thumbnails" in _xmp(path) or None


def caption(path: Path) -> Any:
    image = opened(path)
    said = image.info.get("Raw profile type iptc") if image.format == "PNG" else None
    if said:
        return bytes.fromhex("".join(said.split()[2:])).rpartition(b"\x02\x78")[2][2:]
    exif = image.getexif().get(33723)
    if exif is not None and image.format == "JPEG" and "photoshop" not in image.info:
        return b"in EXIF"
    return (IptcImagePlugin.getiptcinfo(image) or {}).get((2, 120)) if image.format in ("JPEG", "TIFF") else None


def profile(path: Path) -> bytes | None:
    """ICC; of a GIF and a BMP, which Pillow reads without, by their bytes."""
    data = path.read_bytes()
    if path.suffix == ".gif":
        rest, whole = data.partition(b"ICCRGBG1012")[2], b""
        while rest and rest[0]:
            whole, rest = whole + rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        return whole or None
    if path.suffix == ".bmp":
        start, size = struct.unpack_from("<2L", data, 14 + 112) if data[14] >= 124 else (0, 0)
        return data[14 + start : 14 + start + size] if size else None
    icc: bytes | None = opened(path).info.get("icc_profile")
    return icc


def profile_in_words(icc: bytes) -> str:
    opened_profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    name = "sRGB" if "sRGB" in ImageCms.getProfileDescription(opened_profile) else icc[16:20].decode().strip()
    return f"{name} profile"


def resolution(path: Path) -> Any:
    """Dots per inch, across and down; as EXIF has them, where the format has no place of its own."""
    image = opened(path)
    dpi = image.info.get("dpi")
    if image.format in ("WEBP", "AVIF", "HEIF") or image.info.get("jfif_unit", 1) == 0:
        exif = image.getexif()
        dpi = (exif[0x011A], exif[0x011B]) if 0x011A in exif else None
    return dpi and (round(dpi[0]), round(dpi[1]))


def comment(path: Path) -> Any:
    image = opened(path)
    described = _tags(path).get(270)
    said = described if image.format == "TIFF" else image.info.get("comment", image.info.get("Comment"))
    if said is None and described is not None:
        return "in EXIF"
    return said.decode() if isinstance(said, bytes) else said


def png_title(path: Path) -> Any:
    return opened(path).info.get("Title") if path.suffix == ".png" else None


def chunk(*kinds: bytes) -> Any:
    """What looks for a PNG's chunks."""

    def look(path: Path) -> Any:
        found = dict(chunks_in(path.read_bytes())) if path.suffix == ".png" else {}
        return [found[kind] for kind in kinds] if set(kinds) <= found.keys() else None

    return look


def tone_curve(path: Path) -> Any:
    """Gamma and primaries of a PNG; the profile where it has them no more."""
    return chunk(b"gAMA", b"cHRM")(path) or profile(path)


def colour_code(path: Path) -> Any:
    """Primaries and transfer, of ITU-T H.273, of a PNG, an AVIF or a HEIC, or a profile; None for sRGB's."""
    if code := chunk(b"cICP")(path):
        return list(code[0][:2])
    data = path.read_bytes()
    at = data.find(b"colrnclx")
    numbers = [*struct.unpack_from(">2H", data, at + 8)] if at >= 0 else [1, 13]
    return profile(path) or (numbers if numbers != [1, 13] else None)


def held(text: bytes) -> Any:
    """What looks for bytes behind the file's beginning."""
    return lambda path: path.read_bytes().find(text, 32) >= 0 or None


def written_long_ago(path: Path) -> Any:
    return path.stat().st_mtime == LONG_AGO or None
