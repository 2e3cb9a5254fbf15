"""How fast `img2img serve` answers, beside the batch engine in the same run, as one table.

    python benchmarks/serve.py                          3 runs of 600 photos (some minutes on 2 cores)
    python benchmarks/serve.py --photos 100 --runs 1    a look

Photos of 500 x 375 through HTTP with 1, 8 and 32 clients that keep their connections, each asking for the next when it
has one; the batch engine on the same photos with the same two workers, start-up excluded on both sides. Memory: what
the server has resident, after its first 200 answers and at the end. Start: a whole process, from its start to the first
photo's answer. Sides run in turn, medians.
"""

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median, quantiles

from whole_process import MAIN, ROOT, print_table, run

SIDES = Path(__file__).parent / "sides"
CHILD, DRAW = SIDES / "batch_side.py", SIDES / "drawn_photos.py"
MODEL = ROOT / "checkpoints" / "colorizer.onnx"
TITLE = ("what", "must reach", "measured", "beside", "ratio")
CLIENTS = (1, 8, 32)
EARLY = 200  # answers, after which memory must not grow
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Load:
    """What so many clients saw: photos a second, and the seconds of each answer."""

    rate: float
    seconds: list[float]


@contextmanager
def served() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server of two workers, and its port."""
    command = [sys.executable, str(MAIN), "serve", "--no-open", "--port", "0", "--workers", "2", "--queue", "64"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # as installed: compiled once
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        try:
            yield server, int(server.stdout.readline().split()[0].rpartition(":")[2])
        finally:
            server.terminate()


def answered(connection: http.client.HTTPConnection, photo: bytes) -> None:
    connection.request("POST", "/api/v1/colorize", photo)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}")


def one_client(port: int, waiting: SimpleQueue[bytes]) -> list[float]:
    """Asks until nothing waits; the seconds that each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    seconds: list[float] = []
    while True:
        try:
            photo = waiting.get_nowait()
        except Empty:
            connection.close()
            return seconds
        started = time.perf_counter()
        answered(connection, photo)
        seconds.append(time.perf_counter() - started)


def loaded(port: int, photos: Sequence[bytes], clients: int) -> Load:
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for photo in photos:
        waiting.put(photo)
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(partial(one_client, port), [waiting] * clients))
    rate = len(photos) / (time.perf_counter() - started)
    return Load(rate, [each for seconds in found for each in seconds])


def resident(process: int) -> float:
    """MiB, on Linux."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def through_http(photos: Sequence[bytes], runs: int, folder: Path) -> list[Cells]:
    """The rows of all clients, and of memory; the batch engine runs between them."""
    rates: list[float] = []
    loads: dict[int, list[Load]] = {clients: [] for clients in CLIENTS}
    with served() as (server, port):
        loaded(port, (list(photos) * EARLY)[:EARLY], 2)
        early = resident(server.pid)
        for _ in range(runs):
            rates.append(float(run(CHILD, "onnxruntime", folder, MODEL).printed.splitlines()[-1]))
            for clients in CLIENTS:
                loads[clients].append(loaded(port, photos, clients))
        late = resident(server.pid)
    rows = [row for clients in CLIENTS for row in rows_of(clients, loads[clients], median(rates))]
    return [
        *rows,
        (
            f"memory at the end, beside after {EARLY}",
            "",
            f"{late:.0f} MiB",
            f"{early:.0f} MiB",
            f"{late / early:.2f} x",
        ),
    ]


def rows_of(clients: int, loads: Sequence[Load], batch: float) -> list[Cells]:
    who = f"{clients} client{'s' * (clients > 1)}"
    rate = median(load.rate for load in loads)
    goal = "0.85 x" if clients > 1 else ""
    cuts = quantiles([second for load in loads for second in load.seconds], n=100)
    return [
        (
            f"{who}: photos a second, beside the batch engine",
            goal,
            f"{rate:.0f}/s",
            f"{batch:.0f}/s",
            f"{rate / batch:.2f} x",
        ),
        (f"{who}: p50 and p99", "", f"{1000 * cuts[49]:.0f} ms, {1000 * cuts[98]:.0f} ms", "", ""),
    ]


def start(photo: bytes) -> float:
    """Seconds from a process's start to its first photo's answer."""
    began = time.perf_counter()
    with served() as (_, port):
        answered(http.client.HTTPConnection("127.0.0.1", port), photo)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=600, help="in each run of each side")
    parser.add_argument("--runs", type=int, default=3, help="of each side; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        run(DRAW, "small", folder, options.photos)
        photos = [path.read_bytes() for path in sorted(folder.iterdir())]
        rows = through_http(photos, options.runs, folder)
        seconds = median(start(photos[0]) for _ in range(options.runs))
    rows.append(("start to the first answer", "1.5 s", f"{seconds:.2f} s", "", ""))
    print_table(rows, TITLE)


if __name__ == "__main__":
    main()
