"""How fast the networks run on OpenVINO beside ONNX Runtime, as one table.

    python benchmarks/runtimes.py                     every size of the table, two threads
    python benchmarks/runtimes.py --threads 1 --runs 50

The two run in turn in one process, on the same drawn input, as often as asked: first in the precision that OpenVINO
takes by itself, which is bfloat16 where the processor has it, then in float32. A ratio is of two runs that follow one
another; the medians and the middle 80% of them are shown. Difference: the largest of the output, in its own unit.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
from whole_process import print_table

from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.openvino_runtime import OpenVinoRuntime
from img2img.inference.runtimes.runtime import Runtime
from img2img.model_file import find_model, read_model

SIZES = {"colorizer": ((192, 192), (160, 224), (256, 160)), "horse2zebra": ((256, 256), (288, 224))}
TITLE = ("network, input", "precision", "must reach", "ONNX Runtime", "OpenVINO", "ratio, its middle 80%", "difference")


def in_turn(one: Runtime, other: Runtime, picture: np.ndarray, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of each run, wall time; the first of each, which compiles, is not among them."""
    taken = np.zeros((2, runs + 1))
    for turn in range(runs + 1):
        for side, runtime in enumerate((one, other)):
            started = time.perf_counter()
            runtime.run(picture)
            taken[side, turn] = 1000 * (time.perf_counter() - started)
    return taken[0, 1:], taken[1, 1:]


def rows(name: str, threads: int, runs: int) -> Iterator[tuple[str, ...]]:
    content, card = read_model(find_model(name))
    here = OnnxRuntime(content, device="cpu", threads=threads, keeps_memory=True)
    for precision in (None, "f32"):
        other = OpenVinoRuntime(content, threads=threads, precision=precision)
        for height, width in SIZES[name]:
            channels = int(card.inputs[0].shape[1])
            picture = np.random.default_rng(0).uniform(-1, 1, (1, channels, height, width)).astype(np.float32)
            ours, theirs = in_turn(here, other, picture, runs)
            low, middle, high = np.quantile(ours / theirs, (0.1, 0.5, 0.9))
            yield (
                f"`{name}`, {height} x {width}",
                "its own choice" if precision is None else precision,
                "1.3 x" if precision is None else "",
                f"{np.median(ours):.1f} ms",
                f"{np.median(theirs):.1f} ms",
                f"{middle:.2f} x, {low:.2f} to {high:.2f}",
                f"{np.abs(here.run(picture) - other.run(picture)).max():.1g}",
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    print_table([row for name in SIZES for row in rows(name, options.threads, options.runs)], TITLE)


if __name__ == "__main__":
    main()
