"""Many pictures, one after another or several at once: results in the order of what was given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(make: Callable[[Given], Made], things: Iterable[Given], *, at_once: int) -> Iterator[Made]:
    """make(thing) of each, in order; as few are taken ahead as keep `at_once` threads busy.

    What one raises is raised at its turn, and ends it. Closing the iterator leaves out what was not begun.
    """
    if at_once <= 1:
        yield from map(make, things)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool, begun = ThreadPoolExecutor(at_once), deque[Future[Made]]()
    try:
        for thing in things:
            begun.append(pool.submit(make, thing))
            if len(begun) > at_once:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
