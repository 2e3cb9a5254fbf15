"""What all requests of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from anyio import CapacityLimiter

from img2img.serving.jobs import JobStore
from img2img.serving.opened import OpenedModels
from img2img.serving.previews import PreviewShelf
from img2img.serving.queue import WorkQueue
from img2img.serving.settings import ServeSettings

PICTURES_AT_ONCE = 4  # previews joined anew: small, and wanted at once


@dataclass
class ServerState:
    """`ready`: the first model is open. `pictures`: how many previews are made for another strength at once."""

    settings: ServeSettings
    queue: WorkQueue
    models: OpenedModels
    jobs: JobStore
    previews: PreviewShelf = field(default_factory=PreviewShelf)
    ready: bool = False
    pictures: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(PICTURES_AT_ONCE))
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def of(cls, settings: ServeSettings, models: OpenedModels) -> ServerState:
        queue = WorkQueue(settings.workers, settings.queue)
        return cls(settings, queue, models, JobStore(settings.job_space, settings.job_hours))

    def start(self, work: Coroutine[None, None, None]) -> None:
        """In the background, until the server ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def unfinished_jobs(self) -> int:
        return len(self._running)

    async def close(self) -> None:
        """Jobs end after the photo in hand; their files go."""
        self.queue.closing.set()
        self.jobs.stop()
        await asyncio.gather(*self._running, return_exceptions=True)
        self.jobs.close()
