"""How fast colouring one photo is, beside the plain PyTorch + Kornia way and a bare script, as two tables.

Medians of whole processes. The bare script is Pillow and ONNX Runtime on two threads, with nothing else.

    python benchmarks/colorize.py                        every row, 5 runs each (a minute or two)
    python benchmarks/colorize.py one --runs 9           some rows

Both sides of a row run in turn, so that a busy machine slows both. The photo is made here from a sample. Many photos:
batch.py.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from whole_process import MAIN, PLAIN, ROOT, Run, print_table, row, run

DRAW = Path(__file__).parent / "sides" / "drawn_photos.py"
BARE = DRAW.with_name("bare_script.py")
ROWS = ("one", "help", "bare")
FLOORS = ("what", "must reach", "img2img", "bare script", "ratio")


def one_photo(folder: Path, model: Path, runs: int) -> list[tuple[str, ...]]:
    """A grey JPEG of 12 megapixels, from the command line."""
    photo = folder / "large.jpg"
    run(DRAW, "large", photo)
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


def beside_the_floor(folder: Path, model: Path, runs: int) -> list[tuple[str, ...]]:
    """Wall, processor time and memory of one large and one small photo, beside a bare script's."""
    run(DRAW, "large", folder / "12 MP.jpg")
    run(DRAW, "small", folder / "small", 1)
    rows = []
    for photo, goals in (
        (folder / "12 MP.jpg", ("1.2 x", "", "175 MiB")),
        (folder / "small" / "0000.jpg", ("0.25 s",)),
    ):
        ours, bare = [], []
        for _ in range(runs):
            bare.append(run(BARE, model, folder / "bare", photo))
            ours.append(run(MAIN, "colorize", photo, "-o", folder / "ours.jpg", "--model", model, "--overwrite"))
        what = "one 12 MP grey JPEG" if photo.stem == "12 MP" else "one of 500 x 375"
        rows += compared(what, goals, ours, bare)
    return rows


def compared(what: str, goals: tuple[str, ...], ours: list[Run], bare: list[Run]) -> list[tuple[str, ...]]:
    """Three rows; the ratio is ours to the bare script's, so that less is better."""
    measures: list[tuple[str, str, Callable[[Run], float]]] = [
        ("wall", "{:.2f} s", lambda each: each.seconds),
        ("processor time", "{:.2f} s", lambda each: each.processor),
        ("peak memory", "{:.0f} MiB", lambda each: each.memory),
    ]
    rows: list[tuple[str, ...]] = []
    for (name, unit, of), goal in zip(measures, (*goals, "", ""), strict=False):
        mine, floor = (median(map(of, side)) for side in (ours, bare))
        rows.append((f"{what}, {name}", goal, unit.format(mine), unit.format(floor), f"{mine / floor:.2f} x"))
    return rows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--runs", type=int, default=5, help="of each side; the median counts")
    parser.add_argument("--model", type=Path, default=ROOT / "checkpoints" / "colorizer.onnx")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}: choose from {', '.join(ROWS)}")
    return options


def main() -> None:
    options = parse()
    wanted, rows = options.rows or ROWS, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "theirs").mkdir()
        if "one" in wanted:
            rows += one_photo(folder, options.model, options.runs)
        if "help" in wanted:
            rows += help_text(options.runs)
        if rows:
            print_table(rows)
        if "bare" in wanted:
            (folder / "bare").mkdir()
            print_table(beside_the_floor(folder, options.model, options.runs), FLOORS)


if __name__ == "__main__":
    main()
