"""Ctrl-C as a wish that is noted, so that what is in hand can be finished first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def interrupt_noted(*signals: signal.Signals) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C, or one of the other signals named, sets instead of breaking in anywhere.

    The second of the same signal breaks in as usual. Left alone: any signal outside the main thread, and one that is
    ignored or that somebody else handles.
    """
    interrupted = threading.Event()
    before = _unhandled({signal.SIGINT, *signals})

    def note(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unhandled(signals: set[signal.Signals]) -> dict[int, Handler]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {int(number): signal.getsignal(number) for number in signals}
    return {
        number: handler
        for number, handler in handlers.items()
        if handler in (signal.default_int_handler, signal.SIG_DFL)
    }
