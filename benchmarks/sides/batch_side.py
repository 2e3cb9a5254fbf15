"""The child processes of benchmarks/batch.py: one side of a row, which prints its photos per second.

python benchmarks/sides/batch_side.py onnxruntime|openvino|nothing|codecs|spent FOLDER MODEL.onnx
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from img2img.batch.batch import BatchRequest, PhotoBatch
from img2img.batch.engines.engine import LocalEngine
from img2img.batch.sources.listing import list_photos
from img2img.batch.task import Colorizing, PhotoConverter
from img2img.inference.runtimes.execution import Execution
from img2img.model_file import read_card, rewrite_card
from img2img.photo import read_photo, write_photo

Side = Callable[[Path, Path], None]
WORKERS = 2


@dataclass(frozen=True)
class Nothing(Colorizing):
    """Leaves photos as they are, so that only what is around it takes time."""

    def open(self, threads: int) -> PhotoConverter:
        return PhotoConverter(lambda photo: photo)

    def settings(self) -> dict[str, Any]:
        return {}


def as_batch(work: Colorizing, photos: Path, out: Path) -> None:
    with PhotoBatch.open(BatchRequest(partial(list_photos, [photos]), out, work)) as batch:
        done = {outcome.status for outcome in batch.run(opened_engine(work), batch.register())}
    assert done == {"done"}


@cache
def opened_engine(work: Colorizing) -> LocalEngine:
    return LocalEngine(work, jobs=WORKERS)


def with_codecs(photos: Path, out: Path) -> None:
    """Threads that only read and write each photo."""

    def copy(photo: Path) -> None:
        write_photo(read_photo(photo), out / photo.name)

    out.mkdir()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(copy, sorted(photos.iterdir())))


def warm(side: Side, photos: Path, folder: Path) -> None:
    """Models opened, modules imported, by a few photos."""
    few = folder / "few"
    few.mkdir()
    for photo in sorted(photos.iterdir())[: 4 * WORKERS]:
        (few / photo.name).hardlink_to(photo)
    side(few, folder / "warm")


def main() -> None:
    name, place, model = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if name == "make-quick":
        path = Path(model)
        place.write_bytes(rewrite_card(path, replace(read_card(path), native_size=32)))
        return
    usual = partial(as_batch, Colorizing(model, execution=Execution(runtime="onnxruntime")))
    sides: dict[str, Side] = {
        "onnxruntime": usual,
        "openvino": partial(as_batch, Colorizing(model, execution=Execution(runtime="openvino"))),
        "nothing": partial(as_batch, Nothing()),
        "codecs": with_codecs,
        "spent": usual,
    }
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        warm(sides[name], place, Path(folder))
        started, begun = time.perf_counter(), time.process_time()
        sides[name](place, Path(folder) / "out")
        wall, spent = time.perf_counter() - started, time.process_time() - begun
        size = sum(path.stat().st_size for path in (Path(folder) / "out").iterdir() if path.suffix != ".sqlite")
    count = len(list(place.iterdir()))
    if name == "spent":
        print(spent / count, size / count)
        return
    print(count / wall if name in ("onnxruntime", "openvino") else spent / count)


if __name__ == "__main__":
    main()
