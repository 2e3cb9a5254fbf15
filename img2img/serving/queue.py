"""Who works, who waits, and who is asked to come again later."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from img2img.serving.problem import Refusal

Result = TypeVar("Result")
_LONGEST_RETRY = 120


class WorkQueue:
    """`workers` pieces of work at once, in threads; as many requests as `waiting` more, the rest refused."""

    def __init__(self, workers: int, waiting: int) -> None:
        self.workers, self.waiting = workers, waiting
        self.closing = threading.Event()
        self._pool = ThreadPoolExecutor(workers, "img2img-photo")
        self._slots = asyncio.Semaphore(workers)
        self._long = asyncio.Semaphore(max(1, workers - 1))  # so that a film leaves a worker to the photos
        self._admitted = 0
        self._seconds = 1.0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """A place, from the first byte of an upload to its result. Refusal where none is free."""
        self.check_open()
        if self._admitted >= self.workers + self.waiting:
            raise Refusal(
                503, f"{self._admitted} photos are in hand or waiting; try again later", retry_after=self._retry()
            )
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    def check_open(self) -> None:
        """Refusal once the server is about to end."""
        if self.closing.is_set():
            raise Refusal(503, "this server is about to end; try again later", retry_after=self._retry())

    async def run(self, work: Callable[[], Result]) -> Result:
        """What the work returns, done in a thread when its turn comes."""
        return await self._in_turn(self._slots, work)

    async def run_long(self, work: Callable[[], Result]) -> Result:
        """The same for what may take hours, at most all workers but one at once."""
        async with self._long:
            return await self._in_turn(self._slots, work, timed=False)

    async def _in_turn(self, slots: asyncio.Semaphore, work: Callable[[], Result], *, timed: bool = True) -> Result:
        async with slots:
            self.check_open()
            started = time.monotonic()
            done = asyncio.get_running_loop().run_in_executor(self._pool, work)
            try:
                result = await asyncio.shield(done)
            except asyncio.CancelledError:  # nobody waits for it any more, and yet the worker is taken until it ends
                await asyncio.wait([done])
                done.exception()  # looked at, or asyncio would log that nobody did
                raise
            if timed:
                self._seconds += 0.1 * (time.monotonic() - started - self._seconds)
            return result

    def _retry(self) -> int:
        rounds = self._admitted / self.workers
        return max(1, min(_LONGEST_RETRY, round(rounds * self._seconds)))


async def unless_gone(work: Awaitable[Result], gone: Awaitable[None]) -> Result | None:
    """The work's result; None, and the work given up, once `gone` returns first."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone)
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await doing if doing.done() else None
    finally:
        for each in (doing, leaving):
            each.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)
