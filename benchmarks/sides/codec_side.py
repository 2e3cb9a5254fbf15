"""The child processes of benchmarks/formats.py: photos in a format, and what reading and writing them takes at least.

python benchmarks/sides/codec_side.py make FORMAT JPEGS FOLDER      grey photos of that format, from JPEGs
python benchmarks/sides/codec_side.py floor FORMAT FOLDER           prints processor seconds a photo, of libraries alone
python benchmarks/sides/codec_side.py network MODEL.onnx            the same of the network, on one thread
"""

import io
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tifffile
from PIL import Image

Picture = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
TIMES = 40  # that the network runs
SHAPE = (1, 1, 224, 288)  # what it sees of 500 x 375


@dataclass(frozen=True)
class Format:
    """`read` gives a grey picture of a file's path, `write` a file's bytes of a grey or RGB picture.

    Each is what a bare script would use: Pillow, and where it lacks 16 bits tifffile, or zlib over the bytes.
    """

    suffix: str
    write: Callable[[Picture], bytes]
    read: Callable[[Path], Picture]
    bits: int = 8
    writes_as: Callable[[Picture], bytes] | None = None


def pillow(name: str, **options: Any) -> Callable[[Picture], bytes]:
    def write(picture: Picture) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, name, **options)
        return stream.getvalue()

    return write


def tiff(picture: Picture, compression: str | None) -> bytes:
    stream = io.BytesIO()
    predictor = compression is not None
    tifffile.imwrite(stream, picture, compression=compression, predictor=predictor, rowsperstrip=64)
    return stream.getvalue()


def deep_png(picture: Picture) -> bytes:
    """Grey as Pillow writes it; of colours the packing alone, with each row less the one above."""
    if picture.ndim == 2:
        return pillow("PNG")(picture)
    rows = picture.astype(">u2").view(np.uint8).reshape(len(picture), -1)
    return zlib.compress(np.diff(rows, axis=0, prepend=rows[:1] * 0).tobytes(), 1)


def decoded(path: Path) -> Picture:
    with Image.open(path) as image:
        image.draft("L", None)
        return np.asarray(image if image.mode.startswith("I;16") else image.convert("L"))


def heic(picture: Picture) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return pillow("HEIF", quality=90)(picture)


def decoded_heic(path: Path) -> Picture:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return decoded(path)


JPEG = pillow("JPEG", quality=90)
FORMATS = {
    "jpeg": Format(".jpg", JPEG, decoded),
    "png": Format(".png", pillow("PNG", compress_level=1), decoded),
    "png16": Format(".png", deep_png, decoded, 16),
    "tiff": Format(".tif", partial(tiff, compression=None), decoded, writes_as=partial(tiff, compression="zlib")),
    "tiff-lzw": Format(
        ".tif", pillow("TIFF", compression="tiff_lzw"), decoded, writes_as=partial(tiff, compression="zlib")
    ),
    "tiff-deflate": Format(".tif", partial(tiff, compression="zlib"), decoded),
    "tiff16": Format(".tif", partial(tiff, compression="zlib"), tifffile.imread, 16),
    "webp": Format(".webp", pillow("WEBP", quality=90), decoded),
    "webp-lossless": Format(".webp", pillow("WEBP", lossless=True), decoded),
    "avif": Format(".avif", pillow("AVIF", quality=90, speed=8), decoded),
    "heic": Format(".heic", heic, decoded_heic, writes_as=JPEG),
}


def make(kind: str, jpegs: Path, folder: Path) -> None:
    folder.mkdir()
    made = FORMATS[kind]
    for path in sorted(jpegs.iterdir()):
        picture = decoded(path)
        if made.bits == 16:
            noise = np.random.default_rng(0).integers(0, 256, picture.shape)
            picture = (picture.astype(np.int64) * 256 + noise).astype(np.uint16)
        (folder / path.with_suffix(made.suffix).name).write_bytes(made.write(picture))


def floor(kind: str, folder: Path) -> float:
    """Processor seconds a photo: read grey, write as many pixels of three samples, which are not all equal."""
    taken = FORMATS[kind]
    write = taken.writes_as or taken.write
    paths = sorted(folder.iterdir())
    started = time.process_time()
    for path in paths:
        grey = taken.read(path)
        write(np.stack([grey, grey - grey // 8, grey - grey // 4], axis=2))
    return (time.process_time() - started) / len(paths)


def network(model: Path) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    first, outputs = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    given = {first: np.zeros(SHAPE, np.float32)}
    session.run(outputs, given)
    started = time.process_time()
    for _ in range(TIMES):
        session.run(outputs, given)
    return (time.process_time() - started) / TIMES


def main() -> None:
    what, *words = sys.argv[1:]
    if what == "make":
        make(words[0], Path(words[1]), Path(words[2]))
    else:
        print(floor(words[0], Path(words[1])) if what == "floor" else network(Path(words[0])))


if __name__ == "__main__":
    main()
