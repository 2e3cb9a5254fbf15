"""The rows of the table about animations, seen by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kept import photo_looks as looks
from kept import pixel_looks as pixels
from kept.tables import Thing


def _loop(path: Path) -> Any:
    return looks.opened(path).info.get("loop")


def _durations(path: Path) -> Any:
    image, durations = looks.opened(path), []
    for number in range(1 if image.info.get("default_image") else 0, image.n_frames):
        image.seek(number)
        image.load()
        durations.append(float(image.info["duration"]))
    return durations


def _fallback(path: Path) -> Any:
    return looks.opened(path).info.get("default_image") or None


THINGS = (
    Thing("how often it plays", _loop, "loop"),
    Thing("how long each picture shows", _durations, "duration"),
    Thing("transparency", pixels.transparency, "transparency"),
    Thing("picture for programs without animation", _fallback, "the picture for"),
    Thing("camera and date (EXIF)", looks.camera, "EXIF"),
    Thing("place (GPS)", looks.latitude, "EXIF"),
    Thing("thumbnail (EXIF)", looks.exif_thumbnail, "thumbnail", stale=True),
    Thing("titles (XMP)", looks.xmp_title, "XMP"),
    Thing("RGB profile (ICC)", looks.profile, "colour profile"),
    Thing("comment", looks.comment, "comment|iTXt"),
    Thing("texts of a PNG", looks.png_title, r"text \(tEXt\)"),
    Thing("resolution", looks.resolution, "resolution"),
    Thing("16 bits", pixels.bits, "16 bits", "16 bits", becomes=lambda bits: f"{bits} bits"),
    Thing("content credentials", looks.held(b"jumb"), "credentials"),
    Thing("time of the file", looks.written_long_ago, "time", stale=True),
)
