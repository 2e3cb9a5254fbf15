"""XMP made true for other pixels: what lies on the picture turned with it, what describes something left out removed.

The packet is patched where it lies: a parser would write anew what nobody asked it to touch. Prefixes are looked up by
their namespaces. Adobe's XMP Specification, part 1 (serialisation), and the Metadata Working Group's guidelines 2.0
(regions: centre and size of each area, from 0 to 1 of the picture as stored, before it is turned).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_AREAS = ("http://ns.adobe.com/xmp/sType/Area#", "http://ns.acdsee.com/sType/Area#")
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MICROSOFT_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
GAIN_MAPS = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
# What stands behind or beside the picture in its file, and goes with it.
_CONTAINERS = (
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
    "http://ns.google.com/photos/dd/1.0/container/",
    "http://ns.google.com/photos/dd/1.0/item/",
    "http://ns.google.com/photos/dd/1.0/device/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
)
# Places on the picture in ways that are not turned here: panoramas, IPTC's regions, faces' angles, TIFF's and EXIF's.
_PLACES = ("http://ns.google.com/photos/1.0/panorama/", "http://ns.apple.com/faceinfo/1.0/")
_VALUE = r"""\s*=\s*(?:"[^"]*"|'[^']*')"""


def orientation_of(xmp: bytes | None) -> int | None:
    """1 to 8; None where XMP has none."""
    found = re.search(rb'tiff:Orientation(?:\s*=\s*["\']|>)\s*([1-8])', xmp or b"")
    return int(found[1]) if found else None


def upright_xmp(xmp: bytes | None, side: int = 1) -> bytes | None:
    """The packet for pixels turned upright from that side (EXIF's 1 to 8), of a file with nothing but the picture."""
    if not xmp:
        return xmp
    text = xmp.decode("utf-8", "surrogateescape")
    text = _alone(text)
    if side != 1:
        text = _turned(text, side)
    text = re.sub(r"""(tiff:Orientation(?:\s*=\s*["']|>)\s*)[2-8]""", r"\g<1>1", text)
    return text.encode("utf-8", "surrogateescape")


def claims_of(xmp: bytes | None) -> tuple[str, ...]:
    """What the packet says stands beside the picture in its file."""
    text = (xmp or b"").decode("utf-8", "surrogateescape")
    return tuple(name for name, claimed in _CLAIMS.items() if claimed(text))


def _alone(text: str) -> str:
    for space in (*GAIN_MAPS, *_CONTAINERS):
        text = _without(text, space)
    text = _without(text, _CAMERA, "(?:MotionPhoto|MicroVideo)\\w*")
    text = _without(text, "http://ns.adobe.com/xmp/note/", "HasExtendedXMP")
    return _without(text, "http://ns.adobe.com/xap/1.0/", "Thumbnails")


def _says(space: str, name: str) -> Callable[[str], bool]:
    """Whether a property of that name stands there with a value other than 0 and false."""

    def claimed(text: str) -> bool:
        return any(
            re.search(rf"""\b{re.escape(prefix)}:{name}(?:\s*=\s*["']|>)\s*(?!0\s*["'<]|[Ff]alse)""", text)
            for prefix in _prefixes(text, space)
        )

    return claimed


_CLAIMS: dict[str, Callable[[str], bool]] = {
    "motion film": lambda text: _says(_CAMERA, "MotionPhoto")(text) or _says(_CAMERA, "MicroVideo")(text),
    "gain map": lambda text: any(_says(space, r"\w*Version")(text) for space in GAIN_MAPS),
    "depth map": lambda text: _says("http://ns.google.com/photos/1.0/depthmap/", r"\w+")(text),
    "sound": lambda text: _says("http://ns.google.com/photos/1.0/audio/", r"\w+")(text),
}


def _prefixes(text: str, space: str) -> set[str]:
    return set(re.findall(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(space)}["']""", text))


def _without(text: str, space: str, name: str = r"[\w.-]+") -> str:
    """Less the attributes and elements of that name; less the prefix too, where nothing of it is left."""
    for prefix in map(re.escape, _prefixes(text, space)):
        text = re.sub(rf"<({prefix}:{name})(?:\s[^<>]*)?(?:/>|>.*?</\1\s*>)", "", text, flags=re.DOTALL)
        text = re.sub(rf"\s{prefix}:{name}{_VALUE}", "", text)
        if not re.search(rf"[<\s/]{prefix}:", text):
            text = re.sub(rf"\sxmlns:{prefix}{_VALUE}", "", text)
    return text


def _turned(text: str, side: int) -> str:
    for space in _PLACES:
        text = _without(text, space)
    text = _without(text, "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "ImageRegion")
    text = _without(text, _EXIF, "Subject(?:Area|Location)")
    for space in _AREAS:
        for prefix in _prefixes(text, space):
            text = _turned_areas(text, prefix, side)
    for prefix in _prefixes(text, _MICROSOFT_REGION):
        text = _turned_rectangles(text, prefix, side)
    if side >= 5:
        text = _swapped(text, _DIMENSIONS, ("w", "h"))
        text = _swapped(text, _TIFF, ("ImageWidth", "ImageLength"))
        text = _swapped(text, _TIFF, ("XResolution", "YResolution"))
        text = _swapped(text, _EXIF, ("PixelXDimension", "PixelYDimension"))
        text = _swapped(text, _EXIF, ("FocalPlaneXResolution", "FocalPlaneYResolution"))
    return text


def _property(prefix: str, names: Iterable[str]) -> re.Pattern[str]:
    """Groups: all before the value, the name, the value."""
    return re.compile(rf"""((?<!/)\b{re.escape(prefix)}:({"|".join(names)})(?:\s*=\s*["']|>)\s*)([^"'<>]*)""")


def _swapped(text: str, space: str, names: tuple[str, str]) -> str:
    """Each of two properties under the other's name; the values stay where they are."""
    other = dict(zip(names, reversed(names), strict=True))
    for prefix in map(re.escape, _prefixes(text, space)):
        exchange = re.compile(rf"([\s</]{prefix}:)({'|'.join(names)})(?=\s*=|\s*>)")
        text = exchange.sub(lambda found: found[1] + other[found[2]], text)
    return text


def _turned_areas(text: str, prefix: str, side: int) -> str:
    """Each area's x, y (its centre), w and h, whether they are attributes or elements."""
    pattern = _property(prefix, "xywh")

    def turned(area: re.Match[str]) -> str:
        try:
            values = {found[2]: float(found[3]) for found in pattern.finditer(area[0])}
            x, y = turned_point(values["x"], values["y"], side)
        except (KeyError, ValueError):
            return area[0]
        across, down = ("h", "w") if side >= 5 else ("w", "h")
        values |= {"x": x, "y": y} | ({"w": values[across], "h": values[down]} if {"w", "h"} <= values.keys() else {})
        return pattern.sub(lambda found: found[1] + f"{values[found[2]]:.6g}", area[0])

    element = re.compile(r"<([\w.-]+:(?:\w*Area|\w*AreaStruct))\b.*?(?:/>|</\1\s*>)", re.DOTALL)
    return element.sub(turned, text)


def _turned_rectangles(text: str, prefix: str, side: int) -> str:
    """Microsoft's: left, top, width, height."""

    def turned(found: re.Match[str]) -> str:
        try:
            left, top, width, height = map(float, found[3].split(","))
        except ValueError:
            return found[0]
        x, y = turned_point(left + width / 2, top + height / 2, side)
        width, height = (height, width) if side >= 5 else (width, height)
        return found[1] + ", ".join(f"{number:.6g}" for number in (x - width / 2, y - height / 2, width, height))

    return _property(prefix, ["Rectangle"]).sub(turned, text)


def turned_point(x: float, y: float, side: int, width: float = 1, height: float = 1) -> tuple[float, float]:
    """Where a point of a picture so wide and high comes to lie when it is turned upright from that side."""
    if side in (2, 3, 7, 8):
        x = width - x
    if side in (3, 4, 6, 7):
        y = height - y
    return (y, x) if side >= 5 else (x, y)
