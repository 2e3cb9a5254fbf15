"""An iterable that another thread runs a few items ahead, so that reading, converting and encoding overlap."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")
_PAUSE = 0.1  # seconds until a thread that waits looks whether it is still wanted


@dataclass(frozen=True)
class _Ended:
    """The iterable is through, or raised this."""

    error: BaseException | None = None


@contextmanager
def ahead(items: Iterable[Item], size: int) -> Iterator[Iterator[Item]]:
    """The items, up to `size` of them made before they are asked for; what making them raises, is raised here.

    When the block ends the thread has ended too, after the item that it was at.
    """
    pipe = _Pipe[Item](size)
    thread = threading.Thread(target=pipe.fill, args=(items,), daemon=True)
    thread.start()
    try:
        yield pipe.items()
    finally:
        pipe.unwanted.set()
        thread.join()


class _Pipe(Generic[Item]):
    def __init__(self, size: int) -> None:
        self.unwanted = threading.Event()
        self._queue: Queue[Item | _Ended] = Queue(size)

    def fill(self, items: Iterable[Item]) -> None:
        end = _Ended()
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:  # raised again by whoever takes the items
            end = _Ended(error)
        self._put(end)

    def items(self) -> Iterator[Item]:
        while not self.unwanted.is_set():
            try:
                item = self._queue.get(timeout=_PAUSE)
            except Empty:
                continue
            if not isinstance(item, _Ended):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error

    def _put(self, item: Item | _Ended) -> bool:
        while not self.unwanted.is_set():
            try:
                self._queue.put(item, timeout=_PAUSE)
            except Full:
                continue
            return True
        return False
