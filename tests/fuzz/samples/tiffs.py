"""TIFF: modes, compressions, byte orders, tiles, planes, pages."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import cv2
import tifffile
from PIL import Image, ImageCms

from fuzz.samples.photos import exif_block, profile, saved
from fuzz.samples.sample import Pixels, Sample, image, picture


def tiff() -> list[Sample]:
    made = {**_by_pillow(), **_by_tifffile(), **_by_opencv(), **_of_several_pages()}
    return [Sample(f"tiff/{name}", ".tiff", "tiff", data) for name, data in made.items()]


def _by_pillow() -> dict[str, bytes]:
    kinds = [("1", "group4"), ("1", "group3"), ("1", "packbits"), ("L", "tiff_lzw"), ("L", "packbits")]
    kinds += [("RGB", "tiff_lzw"), ("RGB", "jpeg"), ("RGB", "tiff_adobe_deflate"), ("P", "tiff_lzw")]
    kinds += [("RGBA", "tiff_lzw"), ("CMYK", "tiff_lzw"), ("LAB", "raw"), ("LA", "raw"), ("L", "jpeg")]
    made = {f"{mode}-{packing}": saved(_of_mode(mode), "TIFF", compression=packing) for mode, packing in kinds}
    described = {"icc_profile": profile(), "dpi": (300, 200), "exif": exif_block()}
    return made | {"described": saved(image("RGB"), "TIFF", **described)}


def _of_mode(mode: str) -> Image.Image:
    if mode != "LAB":
        return image(mode)
    srgb, lab = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
    converted = ImageCms.profileToProfile(image("RGB"), srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


def _by_tifffile() -> dict[str, bytes]:
    made = {}
    packings = ((None, None), ("zlib", 2), ("lzma", None))
    for order, (packing, predictor), (channels, dtype) in product(
        "<>", packings, ((1, "uint8"), (3, "uint8"), (1, "uint16"), (3, "uint16"), (4, "uint16"))
    ):
        name = f"{channels}x{dtype}-{packing}-{'big' if order == '>' else 'little'}"
        options = {"compression": packing, "predictor": predictor, "byteorder": order}
        made[name] = _written(picture(channels, dtype), **options)
    deep, shallow = picture(3, "uint16"), picture(3)
    planes = deep.transpose(2, 0, 1)
    return made | {
        "tiles-8": _written(shallow, tile=(16, 16)),
        "tiles-16": _written(deep, tile=(16, 16), compression="zlib"),
        "planar-8": _written(planes.astype("uint8"), planarconfig="separate"),
        "planar-16": _written(planes, planarconfig="separate"),
        "white-is-zero": _written(picture(1, "uint16"), photometric="miniswhite"),
        "white-is-zero-8": _written(picture(1), photometric="miniswhite"),
        "premultiplied": _written(picture(4, "uint16"), extrasamples=["assocalpha"]),
        "strips": _written(deep, rowsperstrip=3),
        "big": _written(shallow, bigtiff=True),
        "float": _written(picture(1).astype("float32")),
    }


def _by_opencv() -> dict[str, bytes]:
    """16 bits with LZW, which neither of the others writes."""
    kinds = {f"{channels}x16-lzw": picture(channels, "uint16") for channels in (1, 3, 4)}
    return {name: cv2.imencode(".tiff", values)[1].tobytes() for name, values in kinds.items()}


def _of_several_pages() -> dict[str, bytes]:
    pages = saved(image("L"), "TIFF", save_all=True, append_images=[image("RGB")])
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(picture(3), subifds=1, photometric="rgb")
        writer.write(picture(3)[::2, ::2], subfiletype=1, photometric="rgb")
    return {"pages": pages, "pyramid": stream.getvalue()}


def _written(values: Pixels, **options: Any) -> bytes:
    stream = io.BytesIO()
    colors = {"photometric": "rgb" if values.ndim == 3 else "minisblack"}
    tifffile.imwrite(stream, values, metadata=None, software=False, **colors | options)
    return stream.getvalue()
