"""How still colours hold in films, how true they are, and how fast films are converted, as two tables.

    python benchmarks/film.py                    clips made from the samples, and the speed (a few minutes)
    python benchmarks/film.py --photos FOLDER    clips made from these photos, 12 of them at most, without the speed
    python benchmarks/film.py speed              only the speed

A clip is a camera that pans over a photo or moves into it, so that its true motion is known, and where the photo has
colours, its true colours: what changes along the motion is flicker. Half of the clips get grain and an unsteady light,
as old film has them. "Frame by frame" is what the network says of each frame alone. This process imports nothing heavy:
a child's peak memory begins at its parent's.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from whole_process import ROOT, print_table, run

SAMPLES = ROOT / "datasets" / "samples"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
MOST_PHOTOS = 12
SIZE, FRAMES, LONGER = (1280, 720), 120, 4
STILLNESS = ("clip", "change, frame by frame", "steadied", "ratio", "error, frame by frame", "steadied")


def speed(model: str, frames: int) -> Iterator[tuple[str, ...]]:
    """A pan over a sample, and one so long that a film in memory would show."""
    with tempfile.TemporaryDirectory() as folder:
        for times in (1, LONGER):
            film = Path(folder) / f"{times}.mp4"
            run(Path(__file__), "--make", film, "--frames", frames, "--times", times)
            converted = run(Path(__file__), "--convert", film, "--model", model)
            what = f"{SIZE[0]} x {SIZE[1]}, {frames * times} frames"
            yield what, f"{float(converted.printed):.1f} frames/s", f"{converted.memory:.0f} MiB"


# What the child processes do.


def convert(film: Path, model: str) -> None:
    """Prints frames a second, the model's start-up excluded."""
    from img2img.batch.task import Colorizing
    from img2img.machine import usable_cores
    from img2img.video.film import convert_film
    from img2img.video.reading.film_file import FilmFile

    filming = Colorizing(model).open_for_films(usable_cores())
    started = time.perf_counter()
    result = convert_film(lambda: FilmFile(film), film.with_suffix(".new.mp4"), filming, {})
    print(result.frames / (time.perf_counter() - started))


def make(film: Path, frames: int, times: int) -> None:
    from camera_clips import make_clip, write_film

    write_film(film, make_clip(SAMPLES / "killarney-1910.jpg", "pan", SIZE, frames), times)


def score(photos: Sequence[Path], model: str, frames: int) -> None:
    from camera_clips import means, stillness

    rows = list(stillness(photos, model, frames))
    print(json.dumps([*rows, means(rows)]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", choices=["all", "speed"], default="all")
    parser.add_argument("--photos", type=Path, help="a folder of photos to make clips from")
    parser.add_argument("--frames", type=int, help="of a clip: 40, and 120 for the speed")
    parser.add_argument("--model", default=str(ROOT / "checkpoints" / "colorizer.onnx"))
    parser.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    for each in ("--make", "--convert", "--score"):
        parser.add_argument(each, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.make:
        make(options.make, options.frames, options.times)
    elif options.convert:
        convert(options.convert, options.model)
    elif options.score:
        photos = sorted(path for path in options.score.iterdir() if path.suffix.lower() in SUFFIXES)
        score(photos[:MOST_PHOTOS], options.model, options.frames)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    if options.rows == "all":
        words = ("--model", options.model, "--frames", options.frames or 40)
        scored = run(Path(__file__), "--score", options.photos or SAMPLES, *words)
        print_table([tuple(row) for row in json.loads(scored.printed)], STILLNESS)
    if not options.photos:
        print_table(list(speed(options.model, options.frames or FRAMES)), ("film", "speed", "peak memory"))


if __name__ == "__main__":
    main()
