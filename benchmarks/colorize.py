"""How fast colouring is, beside the plain PyTorch + Kornia way, as one table; medians of whole processes.

    python benchmarks/colorize.py                        every row, 5 runs each (several minutes)
    python benchmarks/colorize.py one help --runs 9      some rows

Both sides of a row run in turn, so that a busy machine slows both. The photos are made here from a sample.
This process imports nothing heavy: a child's peak memory begins at its parent's.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
MAIN, PLAIN = ROOT / "main.py", ROOT / "benchmarks" / "pytorch_way.py"
SAMPLE = ROOT / "datasets" / "samples" / "killarney-1910.jpg"
ROWS = ("one", "help", "batch")
WORKERS = 2


@dataclass(frozen=True)
class Run:
    """One whole process: wall seconds, peak MiB, and what it printed."""

    seconds: float
    memory: float
    printed: str


def run(script: Path, *arguments: object) -> Run:
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
    }  # as installed: compiled once
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... failed with exit code {child.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_maxrss / unit, printed)


def one_photo(folder: Path, model: Path, runs: int) -> list[tuple[str, ...]]:
    """A grey JPEG of 12 megapixels, from the command line."""
    photo = folder / "large.jpg"
    run(Path(__file__), "--make-large", photo)
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(run(MAIN, "colorize", photo, "-o", folder / "ours.jpg", "--model", model, "--overwrite"))
        theirs.append(run(PLAIN, model, folder / "theirs", photo))
    sides = [[(each.seconds, each.memory) for each in side] for side in (ours, theirs)]
    (seconds, memory), (plain_seconds, plain_memory) = (map(median, zip(*side, strict=True)) for side in sides)
    return [
        row("one 12 MP grey JPEG, wall", "0.6 s, 6 x", "{:.2f} s", seconds, plain_seconds),
        row("its peak memory", "220 MiB", "{:.0f} MiB", memory, plain_memory),
    ]


def help_text(runs: int) -> list[tuple[str, ...]]:
    seconds = median(run(MAIN, "--help").seconds for _ in range(runs))
    return [row("`img2img --help`", "0.25 s", "{:.2f} s", seconds)]


def batch(folder: Path, model: Path, runs: int, count: int) -> list[tuple[str, ...]]:
    """Photos of 500 x 375 from folder to folder; the children print photos/s, their start-up excluded."""
    photos = folder / "photos"
    run(Path(__file__), "--make-small", photos, "--photos", count)
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(float(run(Path(__file__), "--run-batch", photos, "--model", model).printed))
        theirs.append(float(run(PLAIN, model, folder / "theirs", *sorted(photos.iterdir())).printed))
    return [row(f"{count:,} photos of 500 x 375", "100/s, 3.5 x", "{:.1f}/s", median(ours), median(theirs))]


def row(what: str, target: str, unit: str, ours: float, theirs: float | None = None) -> tuple[str, ...]:
    """A line of the table."""
    if theirs is None:
        return what, target, unit.format(ours), "", ""
    better = ours / theirs if unit.endswith("/s") else theirs / ours
    return what, target, unit.format(ours), unit.format(theirs), f"{better:.1f} x"


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    title = ("what", "must reach", "img2img", "PyTorch + Kornia", "ratio")
    for cells in (title, ("---",) * len(title), *rows):
        print(f"| {' | '.join(cells)} |")


# What the child processes do.


def make_large(target: Path) -> None:
    """4000 x 3000, grey, with grain: enlarging leaves no detail, and a JPEG of none would be too cheap."""
    import numpy as np
    from PIL import Image

    smooth = np.asarray(Image.open(SAMPLE).convert("L").resize((4000, 3000), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 4, smooth.shape)
    Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(target, quality=90)


def make_small(folder: Path, count: int) -> None:
    """Parts of the sample, at places and scales chosen by seed."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    whole, rng = Image.open(SAMPLE).convert("L"), np.random.default_rng(0)
    for number in range(count):
        width = rng.uniform(0.4, 0.9) * min(whole.width, whole.height * 4 / 3)
        left, top = rng.uniform(0, whole.width - width), rng.uniform(0, whole.height - width * 3 / 4)
        part = whole.resize((500, 375), Image.Resampling.BICUBIC, (left, top, left + width, top + width * 3 / 4))
        part.save(folder / f"{number:04}.jpg", quality=90)


def run_batch(folder: Path, model: Path) -> None:
    from img2img.batch.plan import Job
    from img2img.batch.run import run_jobs
    from img2img.inference.colorizer import Colorizer

    colorizer = Colorizer(model, threads=1)
    with tempfile.TemporaryDirectory() as out:
        jobs = [Job(photo, Path(out) / photo.name) for photo in sorted(folder.iterdir())]
        list(run_jobs(jobs[:1], colorizer.convert))
        started = time.perf_counter()
        outcomes = list(run_jobs(jobs, colorizer.convert, workers=WORKERS, overwrite=True))
        seconds = time.perf_counter() - started
    assert all(outcome.status == "done" for outcome in outcomes)
    print(len(jobs) / seconds)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--runs", type=int, default=5, help="of each side; the median counts")
    parser.add_argument("--photos", type=int, default=1000, help="in the batch")
    parser.add_argument("--model", type=Path, default=ROOT / "checkpoints" / "colorizer.onnx")
    for child in ("--make-large", "--make-small", "--run-batch"):
        parser.add_argument(child, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}: choose from {', '.join(ROWS)}")
    return options


def main() -> None:
    options = parse()
    if options.make_large:
        make_large(options.make_large)
    elif options.make_small:
        make_small(options.make_small, options.photos)
    elif options.run_batch:
        run_batch(options.run_batch, options.model)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    wanted, rows = options.rows or ROWS, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "theirs").mkdir()
        if "one" in wanted:
            rows += one_photo(folder, options.model, options.runs)
        if "help" in wanted:
            rows += help_text(options.runs)
        if "batch" in wanted:
            rows += batch(folder, options.model, options.runs, options.photos)
    print_table(rows)


if __name__ == "__main__":
    main()
