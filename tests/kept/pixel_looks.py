"""How a photo's pixels are stored, and what pictures are beside them, by readers that are not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL.JpegImagePlugin import JpegImageFile

from kept.photo_looks import opened


def mode(path: Path) -> Any:
    return opened(path).mode


def transparency(path: Path) -> Any:
    image = opened(path)
    image = image.convert("RGBA") if image.has_transparency_data else image
    return (image.mode == "RGBA" and image.getchannel("A").getextrema()[0] < 250) or None


def bits(path: Path) -> int:
    """Of a sample, as the file's own header says."""
    data = path.read_bytes()
    if path.suffix == ".png":
        return data[24]
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            return int(np.max(file.series[0].keyframe.bitspersample))
    if path.suffix == ".avif":  # AV1-ISOBMFF, 2.3: high_bitdepth, twelve_bit
        flags = data[data.index(b"av1C") + 6]
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    if path.suffix == ".heic":  # ISO/IEC 14496-15, 8.3.2: bit_depth_luma_minus8
        return 8 + (data[data.index(b"hvcC") + 4 + 17] & 7)
    return 8


def aspect(path: Path) -> Any:
    """Of a pixel: densities without a unit."""
    image = opened(path)
    if image.format == "JPEG":
        across, down = image.info["jfif_density"]
        return across / down if image.info["jfif_unit"] == 0 and across != down else None
    if image.format == "TIFF":
        tags = image.tag_v2
        return float(tags[282]) / float(tags[283]) if tags.get(296) == 1 and tags[282] != tags[283] else None
    across, down = image.info.get("aspect", (1, 1))
    return across / down if across != down else None


def pictures(path: Path) -> Any:
    return count if (count := getattr(opened(path), "n_frames", 1)) > 1 else None


def tag(number: int) -> Any:
    """What looks for an entry of a TIFF, in its first directory."""

    def look(path: Path) -> Any:
        if path.suffix != ".tif":
            return None
        with tifffile.TiffFile(path) as file:
            entry = file.pages.first.tags.get(number)
            return None if entry is None else entry.value

    return look


def channels(path: Path) -> Any:
    return tag(338)(path) and tag(277)(path)


def gain_map(path: Path) -> Any:
    data = path.read_bytes()
    return b"hdrgm:Version" in data or b"hdrgainmap" in data or None


def tables(path: Path) -> Any:
    image = opened(path)
    return list(image.quantization.values()) if isinstance(image, JpegImageFile) else None


def turned_tables(of_jpeg: list[list[int]]) -> list[list[int]]:
    return [np.reshape(table, (8, 8)).T.ravel().tolist() for table in of_jpeg]


def subsampling(path: Path) -> Any:
    image = opened(path)
    return [each[1:3] for each in image.layer] if isinstance(image, JpegImageFile) else None


def progressive(path: Path) -> Any:
    return opened(path).info.get("progressive")


def lossless(path: Path) -> Any:
    return (path.suffix == ".webp" and b"VP8L" in path.read_bytes()) or None
