"""Colouring as a bare script does it: Pillow, ONNX Runtime and two threads, the same network at the same size, no more.

The floor of benchmarks/colorize.py, and of JPEG and PNG in benchmarks/formats.py. It keeps no metadata and depth, turns
nothing upright, checks neither model nor photo, and clips what lies outside RGB instead of keeping the luma.
`python benchmarks/sides/bare_script.py MODEL.onnx OUT PHOTO...` prints processor seconds a photo and photos per second,
start-up excluded.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from img2img.lab import Floats, lab_to_rgb, lightness

NATIVE, MULTIPLE = 192, 32  # the shipped colorizer's, as its card says
THREADS = 2
OPTIONS: dict[str, dict[str, Any]] = {".jpg": {"quality": 90}, ".png": {"compress_level": 1}}
Session = Any  # onnxruntime's InferenceSession


def opened(model: Path, threads: int) -> Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def colorize(photo: Path, out: Path, session: Session, pool: ThreadPoolExecutor | None = None) -> None:
    """`pool` enlarges Cb and Cr side by side."""
    grey = Image.open(photo).convert("L")
    small = np.asarray(grey.resize(seen(grey), Image.Resampling.BILINEAR, reducing_gap=2.0))
    colors = Image.fromarray(chosen(small, session)).convert("YCbCr").split()[1:]
    enlarge = partial(Image.Image.resize, size=grey.size, resample=Image.Resampling.BILINEAR)
    whole = Image.merge("YCbCr", (grey, *(pool.map if pool else map)(enlarge, colors)))
    if photo.suffix != ".jpg":
        whole = whole.convert("RGB")
    whole.save(out / photo.name, **OPTIONS[photo.suffix])


def seen(grey: Image.Image) -> tuple[int, int]:
    """The size of the copy that the network is given."""
    stretch = (grey.width / grey.height) ** 0.5
    width, height = (max(round(side / MULTIPLE), 1) * MULTIPLE for side in (NATIVE * stretch, NATIVE / stretch))
    return width, height


def chosen(small: npt.NDArray[np.uint8], session: Session) -> npt.NDArray[np.uint8]:
    """RGB (h, w, 3), 8 bit, with the network's colours for greys (h, w)."""
    light = lightness(small)
    (ab,) = session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: light[None, None] / 50 - 1})
    rgb: Floats = lab_to_rgb(np.concatenate([light[None], 110 * ab[0]]))
    return np.moveaxis(255 * rgb, 0, 2).round().astype(np.uint8)


def main() -> None:
    model, out, *photos = map(Path, sys.argv[1:])
    alone = len(photos) == 1
    session = opened(model, THREADS if alone else 1)
    started, begun = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        if alone:
            colorize(photos[0], out, session, pool)
        else:
            list(pool.map(partial(colorize, out=out, session=session), photos))
    print((time.process_time() - begun) / len(photos), len(photos) / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
