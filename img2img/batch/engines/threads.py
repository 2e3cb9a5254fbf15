"""Converts a batch on this machine: threads, each with one whole photo at a time.

Threads rather than processes, because reading, converting and writing a photo happen outside Python's lock.
As many photos are in memory as there are workers.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue

from img2img.batch.job import Job
from img2img.batch.one_photo import convert_photo
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import PhotoConverter
from img2img.interrupt import interrupt_noted


def run_jobs(
    jobs: Iterable[Job | Outcome],
    converter: PhotoConverter,
    options: PhotoOptions = PhotoOptions(),
    *,
    workers: int = 1,
) -> Iterator[Outcome]:
    """Converts each job's photo and yields what came of it, in order of completion.

    The jobs are taken one by one as workers come free; an Outcome among them is yielded as it is. After Ctrl-C none is
    taken, the ones in flight are finished and yielded, then KeyboardInterrupt is raised.
    """
    work = partial(convert_photo, converter=converter, options=options)
    return _in_threads(jobs, work, workers)


def _in_threads(jobs: Iterable[Job | Outcome], work: Callable[[Job], Outcome], workers: int) -> Iterator[Outcome]:
    finished: SimpleQueue[Future[Outcome]] = SimpleQueue()  # `concurrent.futures.wait` costs several times as much
    running = 0
    with interrupt_noted() as interrupted, ThreadPoolExecutor(workers) as pool:
        waiting = iter(jobs)
        while True:
            if running == workers:
                yield finished.get().result()
                running -= 1
            if interrupted.is_set() or not (job := next(waiting, None)):
                break
            if isinstance(job, Outcome):
                yield job
                continue
            pool.submit(work, job).add_done_callback(finished.put)
            running += 1
        for _ in range(running):
            yield finished.get().result()
    if interrupted.is_set():
        raise KeyboardInterrupt
