"""How fast a batch is on Ray beside the same batch in threads, and where the time goes, as tables; start-up aside.

    python benchmarks/ray_scaling.py                      400 photos, 3 runs of each side in turn (some minutes)
    python benchmarks/ray_scaling.py --photos 100 --runs 1

Photos of 500 x 375 are made here from a sample. docs/explanation/scaling.md says what the figures mean for a cluster.
"""

import argparse
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path, PurePath
from statistics import median
from typing import Any

from sides.drawn_photos import make_small
from whole_process import ROOT

from img2img.batch.engines.cluster import run_on_ray
from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Found, Job
from img2img.batch.journal.journal import Journal
from img2img.batch.outcome import Outcome
from img2img.batch.task import Colorizing
from img2img.inference.colorizer import Colorizer
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.lab import Floats
from img2img.machine import usable_cores
from img2img.photo import read_photo, write_photo

Engine = Callable[[Sequence[Job]], Iterator[Outcome]]


def speeds(jobs: Sequence[Job], work: Colorizing, counts: Iterable[int], runs: int) -> list[tuple[str, ...]]:
    """Photos/s of threads and of Ray with as many workers, in turn; Ray must reach 0.7 of the threads."""
    opened = work.open(threads=1)
    rows: list[tuple[str, ...]] = []
    for count in counts:
        engines: tuple[Engine, Engine] = (
            lambda some, count=count: run_jobs(some, opened, workers=count),  # type: ignore[misc]
            lambda some, count=count: run_on_ray(some, work, workers=count),  # type: ignore[misc]
        )
        found: tuple[list[float], list[float]] = ([], [])
        for _ in range(runs):
            for engine, speeds_of_one in zip(engines, found, strict=True):
                speeds_of_one.append(speed(engine, jobs))
        local, ray = map(median, found)
        rows.append((str(count), f"{local:.1f}/s", f"{ray:.1f}/s", f"{ray / local:.2f}"))
    return rows


def speed(engine: Engine, jobs: Sequence[Job]) -> float:
    for _ in engine(jobs[:32]):  # processes started, models opened
        pass
    started = time.perf_counter()
    done = sum(outcome.status == "done" for outcome in engine(jobs))
    seconds = time.perf_counter() - started
    if done != len(jobs):
        raise SystemExit(f"only {done} of {len(jobs)} photos were converted")
    return done / seconds


class TimedRuntime:
    """A runtime that adds up how long it ran."""

    def __init__(self, model: bytes) -> None:
        self._runtime = OnnxRuntime(model, threads=1, keeps_memory=True)
        self.seconds = 0.0

    def run(self, *arrays: Floats) -> Floats:
        return self.run_all(*arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        started = time.perf_counter()
        outputs = self._runtime.run_all(*arrays)
        self.seconds += time.perf_counter() - started
        return outputs


def parts_of_a_photo(jobs: Sequence[Job], model: Path) -> list[tuple[str, ...]]:
    """Milliseconds of one photo's parts on one thread, medians."""
    runtime = TimedRuntime(model.read_bytes())
    colorizer = Colorizer(model, threads=1, runtime=runtime)
    parts: dict[str, list[float]] = {"read, decode": [], "network": [], "split, join": [], "encode, write": []}
    for job in jobs:
        before = runtime.seconds
        times = [time.perf_counter()]
        photo = read_photo(job.source)
        times.append(time.perf_counter())
        coloured = colorizer.convert(photo)
        times.append(time.perf_counter())
        write_photo(coloured, job.target)
        times.append(time.perf_counter())
        read, converted, written = (end - start for start, end in pairwise(times))
        network = runtime.seconds - before
        for name, seconds in zip(parts, (read, network, converted - network, written), strict=True):
            parts[name].append(1000 * seconds)
    return [(name, f"{median(times):.2f} ms") for name, times in parts.items()]


def costs_of_ray(work: Colorizing, count: int) -> list[tuple[str, ...]]:
    """What is left when photos cost nothing: they are missing, so that each is an Outcome at once."""
    jobs = [Job(Path(f"/photos/shelf/{n:09}.jpg"), Path(f"/results/shelf/{n:09}.jpg")) for n in range(count)]
    started, busy = time.perf_counter(), time.process_time()
    outcomes = list(run_on_ray(jobs, work))
    busy, seconds = time.process_time() - busy, time.perf_counter() - started
    return [
        ("Ray: photos that cost nothing", f"{count / seconds:,.0f}/s"),
        ("Ray: this process, per photo", f"{1000 * busy / count:.3f} ms"),
        (
            "a job and its outcome, pickled",
            f"{(len(pickle.dumps(jobs)) + len(pickle.dumps(outcomes))) / count:.0f} bytes",
        ),
    ]


def costs_of_the_journal(folder: Path, count: int) -> list[tuple[str, ...]]:
    found = (Found(Path(f"/photos/shelf/{n:09}.jpg"), PurePath(f"{n:09}.jpg"), 1, 1) for n in range(count))
    times = [time.perf_counter()]
    with Journal.open(folder / "journal.sqlite", root=folder / "results") as journal:
        journal.register(found, lambda each: folder / "results" / each.below, settings={})
        times.append(time.perf_counter())
        for each in journal.due():
            if isinstance(each, Job):
                journal.record(Outcome(each.source, each.target, "failed", error="none"))
    times.append(time.perf_counter())
    registered, converted = (1000 * (end - start) / count for start, end in pairwise(times))
    return [
        ("journal: listing, per photo", f"{registered:.3f} ms"),
        ("journal: outcome, per photo", f"{converted:.3f} ms"),
    ]


def print_table(title: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for cells in (title, ("---",) * len(title), *rows):
        print(f"| {' | '.join(cells)} |")
    print()


def started_ray(cores: int) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["PYTHONPATH"] = str(ROOT)
    import ray

    ray.init("local", num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return ray


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=400, help="in a batch")
    parser.add_argument("--runs", type=int, default=3, help="of each side; the median counts")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, usable_cores()])
    parser.add_argument("--model", type=Path, default=ROOT / "checkpoints" / "colorizer.onnx")
    return parser.parse_args()


def main() -> None:
    options = parse()
    work = Colorizing(str(options.model.resolve()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_small(folder / "photos", options.photos)
        jobs = [Job(photo, folder / "results" / photo.name) for photo in sorted((folder / "photos").iterdir())]
        ray = started_ray(max(options.workers))
        try:
            measured = speeds(jobs, work, dict.fromkeys(options.workers), options.runs)
            print_table(("workers", "threads", "Ray", "ratio (must reach 0.7)"), measured)
            rows = parts_of_a_photo(jobs[:100], options.model) + costs_of_ray(work, 50 * options.photos)
        finally:
            ray.shutdown()
        print_table(("what", "measured"), rows + costs_of_the_journal(folder, 50 * options.photos))


if __name__ == "__main__":
    main()
