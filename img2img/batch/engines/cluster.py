"""Converts a batch on a Ray cluster: its cores are handed a few photos at a time, until none are left.

Tasks rather than a Ray Data pipeline, since jobs come one by one and never all at once. Ray Data would begin anew,
actors and all, with each part of them; it takes eight times as long to hand out a task; and a photo that kills its
process it would retry forever.

A model by name is looked for on each machine, one by path must be there under the same path; the batch ends where its
weights are others than here.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from img2img.batch.engines.cluster_worker import Order, convert_batch, has_cuda
from img2img.batch.job import Job
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import Task
from img2img.errors import Img2ImgError, ModelError
from img2img.interrupt import interrupt_noted
from img2img.machine import usable_cores

FEWEST, MOST = 8, 64
"""Photos in a batch: few come back sooner, many cost this machine less, where it feeds hundreds of cores."""
BATCH_BYTES = 16 << 20  # of photos that came out of an archive
LOSSES = 3  # of a photo's process, after which the photo is held guilty


@dataclass(frozen=True)
class Crew:
    """`size` processes, each with `cpus` cores and `gpus` GPUs; `queued`: batches that wait beside the one in hand."""

    size: int
    cpus: float = 1
    gpus: int = 0
    queued: int = 1

    @property
    def threads(self) -> int:
        """The photos that each process converts side by side."""
        return int(self.cpus) if self.gpus else 1

    @property
    def in_flight(self) -> int:
        return self.size * (1 + self.queued)

    @property
    def in_batch(self) -> int:
        return self.threads * min(MOST, max(FEWEST, self.size // 4))


def run_on_ray(
    jobs: Iterable[Job | Outcome],
    task: Task,
    options: PhotoOptions = PhotoOptions(),
    *,
    address: str | None = None,
    workers: int | None = None,
) -> Iterator[Outcome]:
    """Converts each job's photo and yields what came of it, in order of completion.

    `address` None starts a Ray of this machine's cores, "auto" or HOST:PORT joins one; one that this process is
    connected to already is used and left running. `workers`: at most so many photos at a time. Jobs are taken as there
    is room, and an Outcome among them is yielded as it is. What a machine had in hand that died is done again
    elsewhere; a photo that ends its process time and again fails. An Img2ImgError ends the batch. After Ctrl-C the
    photos in hand are finished but not yielded.
    """
    order = Order.here(task, options)
    with _connected(address, workers) as ray:
        yield from _Flights(ray, order, _crew(ray, task, workers)).run(jobs)


def batches(jobs: Iterable[Job | Outcome], most: int, most_bytes: int = BATCH_BYTES) -> Iterator[list[Job] | Outcome]:
    """The jobs in lists of at most `most` that stop growing at `most_bytes` of content; each taken when asked for.

    An Outcome among them comes by itself, at once.
    """
    batch: list[Job] = []
    size = 0
    for job in jobs:
        if isinstance(job, Outcome):
            yield job
            continue
        batch.append(job)
        size += len(job.content or b"")
        if len(batch) == most or size >= most_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass
class _Flights:
    """The batches that are under way, and the photos to be tried again because their process was lost."""

    ray: Any
    order: Order
    crew: Crew
    flying: dict[Any, list[Job]] = field(default_factory=dict)
    again: deque[Job] = field(default_factory=deque)
    losses: Counter[Path] = field(default_factory=Counter)

    def run(self, jobs: Iterable[Job | Outcome]) -> Iterator[Outcome]:
        ray, crew, order = self.ray, self.crew, self.ray.put(self.order)
        # max_calls: processes are kept, also those that have a GPU. Ray's own retries would be of whole batches.
        task = ray.remote(num_cpus=crew.cpus, num_gpus=crew.gpus, max_calls=0, max_retries=0)(convert_batch)
        waiting = batches(jobs, crew.in_batch)
        with interrupt_noted() as interrupted:
            try:
                while True:
                    while len(self.flying) < crew.in_flight and not interrupted.is_set():
                        if not (batch := self._next(waiting)):
                            break
                        if isinstance(batch, Outcome):
                            yield batch
                            continue
                        self.flying[task.remote(order, batch, crew.threads)] = batch
                    if not self.flying:
                        break
                    yield from self._landed()
                    if interrupted.is_set():
                        self._cancel()
            finally:
                self._cancel()
        if interrupted.is_set():
            raise KeyboardInterrupt

    def _next(self, waiting: Iterator[list[Job] | Outcome]) -> list[Job] | Outcome | None:
        return [self.again.popleft()] if self.again else next(waiting, None)

    def _landed(self) -> Iterator[Outcome]:
        """What came of the batches that are done; waits up to a second for the first."""
        flying = list(self.flying)
        self.ray.wait(flying, timeout=1, fetch_local=False)
        done, _ = self.ray.wait(flying, num_returns=len(flying), timeout=0, fetch_local=False)
        for each in done:
            yield from self._outcomes(each, self.flying.pop(each))

    def _outcomes(self, done: Any, batch: list[Job]) -> Iterator[Outcome]:
        errors = self.ray.exceptions
        try:
            outcomes = self.ray.get(done)
        except errors.TaskCancelledError:
            return
        except errors.RayTaskError as error:
            advice = "is the same img2img installed on every machine?"
            raise Img2ImgError(f"Ray: {_line(error.cause or error)}; {advice}") from error
        except errors.RayError:
            yield from self._lost(batch)
            return
        if isinstance(outcomes, Img2ImgError):
            raise outcomes
        yield from outcomes

    def _lost(self, batch: list[Job]) -> Iterator[Outcome]:
        """The photos are tried again one by one, so that one that ends its process takes no other along."""
        for job in batch:
            self.losses[job.target] += 1
            if self.losses[job.target] < LOSSES:
                self.again.append(job)
                continue
            reason = f"the process that converted it ended {LOSSES} times, likely for want of memory"
            yield Outcome(job.source, job.target, "failed", error=f"{job.source}: {reason}; convert it by itself")

    def _cancel(self) -> None:
        for each in self.flying:
            self.ray.cancel(each)


def _crew(ray: Any, task: Task, workers: int | None) -> Crew:
    """A GPU and its share of the cores to each process where GPUs can be used, else a core to each."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(sum(each.get("GPU", 0) for each in machines))
    if task.execution.device == "cuda" and not gpus:
        raise ModelError("--device cuda: no machine of this Ray cluster has a GPU; leave --device out")
    queued = 0 if workers else 1  # what is queued may run as well
    if gpus and (task.execution.device == "cuda" or (task.execution.device == "auto" and _can_use_gpus(ray))):
        share = min(int(each.get("CPU", 1) // each["GPU"]) for each in machines if each.get("GPU"))
        cpus = max(1, min(share, workers or share))
        return Crew(max(1, min(gpus, (workers or gpus * cpus) // cpus)), cpus, gpus=1, queued=queued)
    cores = max(1, int(sum(each.get("CPU", 0) for each in machines)))
    size = workers or cores  # more workers than cores, where photos come from far away
    return Crew(size, min(1, cores / size), queued=queued)


def _can_use_gpus(ray: Any) -> bool:
    """Whether ONNX Runtime has CUDA where the GPUs are."""
    return bool(ray.get(ray.remote(num_gpus=1, num_cpus=0)(has_cuda).remote()))


@contextmanager
def _connected(address: str | None, workers: int | None) -> Iterator[Any]:
    """Ray's package, connected until the block ends."""
    ray = _ray()
    if ray.is_initialized():
        yield ray
        return
    _check_answers(address)
    with sigterm_kept():
        yield from _started(ray, address, workers)


def _started(ray: Any, address: str | None, workers: int | None) -> Iterator[Any]:
    own = {} if address else {"num_cpus": workers or usable_cores(), "include_dashboard": False}
    logging.getLogger("ray").setLevel(logging.ERROR)  # before ray.init speaks
    try:
        with _command_untold(ray):
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise Img2ImgError(f"no Ray cluster at {address or 'this machine'}: {_line(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _command_untold(ray: Any) -> Iterator[None]:
    """Ray shows its cluster the command line, and cannot be initialised where a name in it is not Unicode."""
    utils = ray._private.utils
    before = utils.get_entrypoint_name
    utils.get_entrypoint_name = lambda: "img2img"
    try:
        yield
    finally:
        utils.get_entrypoint_name = before


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Puts back what SIGTERM does: a Ray that this process joins takes it, and keeps it after it was left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_answers(address: str | None) -> None:
    """Ray itself would wait for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if not colon or not port.isdecimal() or "://" in host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        advice = "start one there with `ray start --head`, or leave the address out to use this machine's cores"
        raise Img2ImgError(f"no Ray cluster at {address}: {_line(error)}; {advice}") from error


def _ray() -> Any:
    """The package, imported where it is used: that takes a second. It reports its use to nobody."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise Img2ImgError("a Ray cluster needs one more package: pip install '.[ray]' in img2img's checkout") from None
    return ray


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
