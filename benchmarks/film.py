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
HD, UHD = (1280, 720), (3840, 2160)
FRAMES = 120
SPEED = ("film", "speed", "processor time a frame", "peak memory")
STILLNESS = ("clip", "change, frame by frame", "steadied", "ratio", "error, frame by frame", "steadied")


def speed(model: str, frames: int) -> Iterator[tuple[str, ...]]:
    """A pan over a sample, one so long that a film in memory would show, and a large one."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        for (width, height), count, times in ((HD, frames, 1), (HD, frames, 4), (UHD, max(frames // 5, 1), 2)):
            run(Path(__file__), "--make", film, "--size", width, height, "--frames", count, "--times", times)
            converted = run(Path(__file__), "--convert", film, "--model", model)
            rate, processor = converted.printed.split()
            what = f"{width} x {height}, {count * times} frames"
            yield what, f"{float(rate):.1f} frames/s", f"{float(processor):.0f} ms", f"{converted.memory:.0f} MiB"


# What the child processes do.


def convert(film: Path, model: str) -> None:
    """Prints frames a second and milliseconds of processor time a frame, the model's start-up excluded."""
    from img2img.batch.task import Colorizing
    from img2img.machine import usable_cores
    from img2img.video.film import convert_film
    from img2img.video.reading.film_file import FilmFile

    filming = Colorizing(model).open_for_films(usable_cores())
    started, computing = time.perf_counter(), time.process_time()
    frames = convert_film(lambda: FilmFile(film), film.with_suffix(".new.mp4"), filming, {}).frames
    print(frames / (time.perf_counter() - started), 1000 * (time.process_time() - computing) / frames)


def make(film: Path, size: tuple[int, int], frames: int, times: int) -> None:
    from scenes.camera_clips import make_clip, write_film

    write_film(film, make_clip(SAMPLES / "killarney-1910.jpg", "pan", size, frames), times)


def score(photos: Sequence[Path], model: str, frames: int) -> None:
    from scenes.camera_clips import means, stillness

    rows = list(stillness(photos, model, frames))
    print(json.dumps([*rows, means(rows)]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", choices=["all", "speed"], default="all")
    parser.add_argument("--photos", type=Path, help="a folder of photos to make clips from")
    parser.add_argument("--frames", type=int, help="of a clip: 40, and 120 for the speed")
    parser.add_argument("--model", default=str(ROOT / "checkpoints" / "colorizer.onnx"))
    parser.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=2, default=HD, help=argparse.SUPPRESS)
    for each in ("--make", "--convert", "--score"):
        parser.add_argument(each, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.make:
        make(options.make, options.size, options.frames, options.times)
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
        print_table(list(speed(options.model, options.frames or FRAMES)), SPEED)


if __name__ == "__main__":
    main()
