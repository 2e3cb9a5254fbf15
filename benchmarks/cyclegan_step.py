"""How fast CycleGAN trains beside a plain loop with the paper's networks, as one table of images/s.

    python benchmarks/cyclegan_step.py --steps 50                       256 px, on a GPU
    python benchmarks/cyclegan_step.py --size 64 --batches 1 4 --steps 5   something that a processor can do, too

The plain loop has the paper's preset: ResNet-9, PatchGAN, float32, batch 1. The rows below it are `img2img train` with
the same networks at several batches, and with the default preset. All run in turn in processes of their own.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from whole_process import run

TRAIN_STEP = Path(__file__).with_name("train_step.py")
TITLE = ("networks", "loop", "batch", "images/s", "to the plain loop", "memory")
NETWORKS = {"ResNet-9, PatchGAN": "paper", "the default preset": None}
"""Rows of the table, and the preset that each is."""


def images_per_second(
    networks: str, loop: str, batch: int, options: argparse.Namespace, data: Path
) -> tuple[float, float]:
    """The median over `--runs` processes, and the memory in MiB."""
    settings = (f"batch_size={batch}", f"image_size={options.size}", "held_out=0", "pretrained=false")
    given = list(arguments(loop, NETWORKS[networks], settings, options, data))
    told = [run(TRAIN_STEP, *given) for _ in range(options.runs)]
    measured = [json.loads(child.printed.splitlines()[-1]) for child in told]
    memory = [figures["memory"] or child.memory for figures, child in zip(measured, told, strict=True)]
    return batch * median(figures["steps_per_second"] for figures in measured), median(memory)


def arguments(
    loop: str, preset: str | None, settings: tuple[str, ...], options: argparse.Namespace, data: Path
) -> Iterator[object]:
    yield from ("--child", loop, "--recipes", "cyclegan", "--data", data, "--device", options.device)
    yield from ("--steps", options.steps, "--warm", options.warm)
    if preset:
        yield from ("--preset", preset)
    if loop == "ours" and options.compile:
        yield "--compile"
    for setting in settings:
        yield from ("--set", setting)


def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "photos"
        run(TRAIN_STEP, "--draw", data)
        cases = [("ResNet-9, PatchGAN", "plain", 1)]
        cases += [(networks, "ours", batch) for networks in NETWORKS for batch in options.batches]
        for cells in (TITLE, ("---",) * len(TITLE)):
            print(f"| {' | '.join(cells)} |")
        plain = 0.0
        for networks, loop, batch in cases:
            speed, memory = images_per_second(networks, loop, batch, options, data)
            plain = plain or speed
            name = "img2img" if loop == "ours" else loop
            print(
                f"| {networks} | {name} | {batch} | {speed:.3g} | {speed / plain:.2f} x | {memory:.0f} MiB |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of the training pictures")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--steps", type=int, default=50, help="of each process that are timed")
    parser.add_argument("--warm", type=int, default=10, help="steps before them")
    parser.add_argument("--runs", type=int, default=1, help="of each row; the median counts")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action="store_true", help="as `img2img train --compile`; ours only")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
