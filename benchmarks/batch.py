"""How fast and how frugal batches are, as one table.

    python benchmarks/batch.py                           every row, 3 runs each (a quarter of an hour)
    python benchmarks/batch.py small share --runs 5      some rows

small: 1,000 photos of 500 x 375 on ONNX Runtime and on OpenVINO, beside a plain loop with PyTorch and Kornia; start-up
excluded. share: processor time of the batch with an empty conversion, beside that of decoding and encoding alone.
large: 100 photos of 12 megapixels. again: the command a second time over 10,000 finished photos. listed: peak memory at
100,000 photos, beside 1,000. large, again and listed are whole processes of the command. Sides run in turn, so that a
busy machine slows both; medians.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from whole_process import MAIN, PLAIN, ROOT, Run, print_table, run

SIDES = Path(__file__).parent / "sides"
CHILD, DRAW = SIDES / "batch_side.py", SIDES / "drawn_photos.py"
TITLE = ("what", "must reach", "measured", "beside", "ratio")
Cells = tuple[str, ...]


def in_turn(runs: int, *sides: Callable[[], float]) -> list[float]:
    """The median of each side."""
    found = [[side() for side in sides] for _ in range(runs)]
    return [median(numbers) for numbers in zip(*found, strict=True)]


def small(folder: Path, model: Path, options: argparse.Namespace) -> list[Cells]:
    photos, out = folder / "small", folder / "plain"
    run(DRAW, "small", photos, options.photos)
    out.mkdir()
    onnxruntime, openvino, plain = in_turn(
        options.runs,
        lambda: printed("onnxruntime", photos, model),
        lambda: printed("openvino", photos, model),
        lambda: float(run(PLAIN, model, out, *sorted(photos.iterdir())).printed),
    )
    what = f"{options.photos:,} photos of 500 x 375"
    return [
        (what, "100/s, 3.5 x", f"{onnxruntime:.0f}/s", f"{plain:.1f}/s", f"{onnxruntime / plain:.1f} x"),
        (f"{what}, OpenVINO", "130/s, 4.5 x", f"{openvino:.0f}/s", f"{plain:.1f}/s", f"{openvino / plain:.1f} x"),
    ]


def share(folder: Path, model: Path, options: argparse.Namespace) -> list[Cells]:
    photos = folder / "shared"
    run(DRAW, "small", photos, options.photos)
    ours, bare = in_turn(
        options.runs, lambda: printed("nothing", photos, model), lambda: printed("codecs", photos, model)
    )
    cells = (f"{1000 * ours:.2f} ms", f"{1000 * bare:.2f} ms", f"{100 * (ours / bare - 1):.0f}% more")
    return [("processor time of such a photo without a network, beside decoding and encoding", "15% more", *cells)]


def large(folder: Path, model: Path, options: argparse.Namespace) -> list[Cells]:
    photos = folder / "large"
    photos.mkdir()
    run(DRAW, "large", photos / "000.jpg")
    for number in range(1, options.large):
        (photos / f"{number:03}.jpg").hardlink_to(photos / "000.jpg")
    whole = [command(photos, folder / f"large-{turn}", model) for turn in range(options.runs)]
    rate = options.large / median(each.seconds for each in whole)
    return [
        (f"{options.large} photos of 12 megapixels", "5/s", f"{rate:.1f}/s", "", ""),
        ("their peak memory", "600 MiB", f"{median(each.memory for each in whole):.0f} MiB", "", ""),
    ]


def again(folder: Path, model: Path, options: argparse.Namespace) -> list[Cells]:
    photos, out = folder / "again", folder / "again-out"
    run(DRAW, "tiny", photos, options.finished)
    command(photos, out, quick(model, folder))
    seconds = median(command(photos, out, quick(model, folder)).seconds for _ in range(options.runs))
    return [(f"a second run over {options.finished:,} finished photos", "2 s", f"{seconds:.2f} s", "", "")]


def listed(folder: Path, model: Path, options: argparse.Namespace) -> list[Cells]:
    peaks = []
    for count in (options.listed, 1000):
        photos = folder / f"listed-{count}"
        run(DRAW, "tiny", photos, count)
        peaks.append(command(photos, folder / f"listed-{count}-out", quick(model, folder)).memory)
    many, few = peaks
    cells = (f"{many:.0f} MiB", f"{few:.0f} MiB", f"{many / few:.2f} x")
    return [(f"peak memory at {options.listed:,} photos, beside 1,000", "1.10 x", *cells)]


ROWS = {"small": small, "share": share, "large": large, "again": again, "listed": listed}


def printed(side: str, photos: Path, model: Path) -> float:
    """What a child process prints, its start-up excluded: photos a second, or processor seconds a photo."""
    return float(run(CHILD, side, photos, model).printed.splitlines()[-1])


def command(photos: Path, out: Path, model: Path) -> Run:
    return run(MAIN, "colorize", photos, "-o", out, "--model", model, "--quiet")


def quick(model: Path, folder: Path) -> Path:
    """The model on 32 x 32 pixels, for rows in which the network is not what is measured."""
    target = folder / "quick.onnx"
    if not target.is_file():
        run(CHILD, "make-quick", target, model)
    return target


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--runs", type=int, default=3, help="of each side; the median counts")
    parser.add_argument("--photos", type=int, default=1000, help="in small and share")
    parser.add_argument("--large", type=int, default=100, help="photos in large")
    parser.add_argument("--finished", type=int, default=10_000, help="photos in again")
    parser.add_argument("--listed", type=int, default=100_000, help="photos in listed, which run once")
    parser.add_argument("--model", type=Path, default=ROOT / "checkpoints" / "colorizer.onnx")
    options = parser.parse_args(words)
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}: choose from {', '.join(ROWS)}")
    return options


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        rows = [cells for wanted in options.rows or ROWS for cells in ROWS[wanted](Path(name), options.model, options)]
    print_table(rows, TITLE)


if __name__ == "__main__":
    main()
