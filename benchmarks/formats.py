"""How fast a folder is coloured in each format, beside what its codecs and the network take alone, as one table.

    python benchmarks/formats.py                              every format, 3 runs (half an hour)
    python benchmarks/formats.py png tiff --runs 1 --photos 40 --large 0

Photos of 500 x 375 and of 12 megapixels: processor time a photo of the batch with two workers, start-up excluded; of
the floor, which is reading and writing with Pillow, tifffile or zlib, and the network; and the size of a result. By
processor time, since that is what two busy cores have in common; sides run in turn, medians. JPEG and PNG have a second
table, beside a bare script of two threads (sides/bare_script.py), which writes PNG at zlib's level 1.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from whole_process import ROOT, print_table, run

SIDES = Path(__file__).parent / "sides"
BATCH, CODECS, DRAW = SIDES / "batch_side.py", SIDES / "codec_side.py", SIDES / "drawn_photos.py"
BARE, BARE_FORMATS = SIDES / "bare_script.py", ("jpeg", "png")
FORMATS = [  # as codec_side has them
    "jpeg",
    "png",
    "png16",
    "tiff",
    "tiff-lzw",
    "tiff-deflate",
    "tiff16",
    "webp",
    "webp-lossless",
    "avif",
    "heic",
]
MODEL = ROOT / "checkpoints" / "colorizer.onnx"
TITLE = ("format", "photos", "must reach", "img2img", "codecs + network", "ratio", "photos/s on 2 cores", "kB a result")
GOAL = 1.6
BARE_TITLE = ("format", "photos", "must reach", "img2img", "bare script", "of its rate", "kB a result", "bare script")
Cells = tuple[str, ...]


def rows_of(kind: str, what: str, jpegs: Path, runs: int) -> Cells:
    photos = jpegs.parent / f"{kind}-{jpegs.name}"
    run(CODECS, "make", kind, jpegs, photos)
    found = [(*ours(photos), least(kind, photos)) for _ in range(runs)]
    mine, size, floor = (median(numbers) for numbers in zip(*found, strict=True))
    return (
        kind,
        what,
        f"{GOAL} x",
        f"{1000 * mine:.1f} ms",
        f"{1000 * floor:.1f} ms",
        f"{mine / floor:.2f} x",
        f"{2 / mine:.1f}",
        f"{size / 1000:.0f}",
    )


def beside_bare(kind: str, what: str, jpegs: Path, runs: int) -> Cells:
    photos, out = jpegs.parent / f"{kind}-{jpegs.name}", jpegs.parent / f"bare-{kind}-{jpegs.name}"
    out.mkdir()
    found = [(*ours(photos), bare(photos, out)) for _ in range(runs)]
    mine, size, floor = (median(numbers) for numbers in zip(*found, strict=True))
    written = [path.stat().st_size for path in out.iterdir()]
    return (
        kind,
        what,
        "0.90 x",
        f"{1000 * mine:.1f} ms",
        f"{1000 * floor:.1f} ms",
        f"{floor / mine:.2f} x",
        f"{size / 1000:.0f}",
        f"{sum(written) / len(written) / 1000:.0f}",
    )


def bare(photos: Path, out: Path) -> float:
    """Processor seconds a photo."""
    return float(run(BARE, MODEL, out, *sorted(photos.iterdir())).printed.split()[0])


def ours(photos: Path) -> tuple[float, float]:
    """Processor seconds a photo, and bytes of a result."""
    seconds, size = run(BATCH, "spent", photos, MODEL).printed.split()[-2:]
    return float(seconds), float(size)


def least(kind: str, photos: Path) -> float:
    """Processor seconds a photo of codecs and network."""
    return number(CODECS, "floor", kind, photos) + number(CODECS, "network", MODEL)


def number(script: Path, *words: object) -> float:
    return float(run(script, *words).printed.splitlines()[-1])


def drawn(folder: Path, small: int, large: int) -> list[tuple[str, Path]]:
    """What stands in the table of each folder of JPEGs, and the folder."""
    sets = []
    if small:
        run(DRAW, "small", folder / "small", small)
        sets.append(("500 x 375", folder / "small"))
    if large:
        (folder / "large").mkdir()
        for each in range(large):
            run(DRAW, "large", folder / "large" / f"{each}.jpg")
        sets.append(("12 megapixels", folder / "large"))
    return sets


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"{', '.join(FORMATS)}; all by default")
    parser.add_argument("--runs", type=int, default=3, help="of each side; the median counts")
    parser.add_argument("--photos", type=int, default=100, help="of 500 x 375, in each run")
    parser.add_argument("--large", type=int, default=4, help="of 12 megapixels, in each run")
    options = parser.parse_args(words)
    if unknown := set(options.formats) - set(FORMATS):
        parser.error(f"no format {', '.join(sorted(unknown))}: choose from {', '.join(FORMATS)}")
    return options


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        sets = drawn(Path(name), options.photos, options.large)
        formats = options.formats or FORMATS
        print_table([rows_of(kind, what, jpegs, options.runs) for kind in formats for what, jpegs in sets], TITLE)
        if formats := [kind for kind in formats if kind in BARE_FORMATS]:
            rows = [beside_bare(kind, what, jpegs, options.runs) for kind in formats for what, jpegs in sets]
            print_table(rows, BARE_TITLE)


if __name__ == "__main__":
    main()
