"""Where a batch is converted: on this machine, or on a Ray cluster."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Job
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import PhotoConverter, Task
from img2img.machine import usable_cores


class Engine(Protocol):
    def run(self, jobs: Iterable[Job | Outcome], *, count: int) -> Iterator[Outcome]:
        """What came of each of about `count` jobs, in order of completion; an Outcome among them as it is."""
        ...


@dataclass
class LocalEngine:
    """Threads of this process. `jobs` photos at a time; without it as many as there are cores.

    `one_at_a_time`: without `jobs` one photo takes all cores, since many would not fit in memory.
    """

    task: Task
    options: PhotoOptions = PhotoOptions()
    jobs: int | None = None
    one_at_a_time: bool = False
    _opened: dict[int, PhotoConverter] = field(default_factory=dict)

    def run(self, jobs: Iterable[Job | Outcome], *, count: int) -> Iterator[Outcome]:
        cores = self.jobs or usable_cores()
        most = 1 if self.one_at_a_time and not self.jobs else cores
        workers = max(1, min(most, count))
        return run_jobs(jobs, self.opened(cores // workers), self.options, workers=workers)

    def opened(self, threads: int) -> PhotoConverter:
        """The models, opened once."""
        if threads not in self._opened:
            self._opened[threads] = self.task.open(threads)
        return self._opened[threads]


@dataclass
class RayEngine:
    """The machines of a Ray cluster, at most `jobs` photos at a time."""

    task: Task
    options: PhotoOptions = PhotoOptions()
    address: str | None = None
    jobs: int | None = None

    def run(self, jobs: Iterable[Job | Outcome], *, count: int) -> Iterator[Outcome]:
        from img2img.batch.engines.cluster import run_on_ray

        return run_on_ray(jobs, self.task, self.options, address=self.address, workers=self.jobs)
