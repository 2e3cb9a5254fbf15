"""What runs on the machines of a Ray cluster: processes that open the models once and are handed a few photos each."""

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Job
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import PhotoConverter, Task
from img2img.errors import Img2ImgError, ModelError


@dataclass(frozen=True)
class Order:
    """What to do with each photo: given in `folder` on `host`, where the work's settings are `settings`, as JSON."""

    task: Task
    options: PhotoOptions
    folder: str
    host: str
    settings: str

    @classmethod
    def here(cls, task: Task, options: PhotoOptions) -> "Order":
        return cls(task, options, os.getcwd(), socket.gethostname(), _settings(task))  # noqa: PTH109 (kept as text)


def convert_batch(order: Order, jobs: Sequence[Job], threads: int) -> list[Outcome] | Img2ImgError:
    """Converts `threads` photos side by side. What ends the whole batch is returned: what is raised, Ray would wrap."""
    try:
        _go_to(order.folder, jobs)
        return list(run_jobs(jobs, _opened(order), order.options, workers=threads))
    except Img2ImgError as error:
        return _placed(error, order)


def has_cuda() -> bool:
    from img2img.inference.runtimes.onnx_runtime import OnnxRuntime

    return OnnxRuntime.has_cuda()


@lru_cache(maxsize=1)
def _opened(order: Order) -> PhotoConverter:
    if _settings(order.task) != order.settings:
        raise ModelError(f"the model here is another than on {order.host}: copy it from there")
    return order.task.open(threads=1)


def _settings(task: Task) -> str:
    return json.dumps(task.settings(), sort_keys=True)


def _go_to(folder: str, jobs: Sequence[Job]) -> None:
    """Paths may start from the folder in which the order was given."""
    try:
        os.chdir(folder)
    except OSError:
        if not all(job.source.is_absolute() and job.target.is_absolute() for job in jobs):
            raise Img2ImgError(
                f"there is no folder {folder}, from which the photos' paths start: "
                "put them on a disk that all machines share, or in an object store"
            ) from None


def _placed(error: Img2ImgError, order: Order) -> Img2ImgError:
    """With this machine's name, unless it is the one at which the user sits."""
    host = socket.gethostname()
    return error if host == order.host else type(error)(f"on {host}: {error}")
