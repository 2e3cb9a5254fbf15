"""Ctrl-C as a wish that is noted, so that what is in hand can be finished first; and what one more of it does."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def interrupt_noted(*signals: signal.Signals) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C, or one of the other signals named, sets instead of breaking in anywhere.

    The second of the same signal breaks in as usual, or within `breaking_in_once` ends the process. Left alone: any
    signal outside the main thread, and one that is ignored or that somebody else handles.
    """
    interrupted = threading.Event()
    before = _unhandled({signal.SIGINT, *signals})
    second = {number: _end_at_once if handler is _break_in_once else handler for number, handler in before.items()}

    def note(number: int, frame: FrameType | None) -> None:
        signal.signal(number, second[number])  # first: `set` holds a lock, for which a second call of this would wait
        interrupted.set()

    for number in before:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in (second if interrupted.is_set() else before).items():
            signal.signal(number, handler)


@contextmanager
def breaking_in_once() -> Iterator[None]:
    """For a command whose process is at its end after Ctrl-C: one more ends it at once, in silence, with status 130.

    A KeyboardInterrupt in the last moments may come where nobody catches it, or where a library makes another error of
    it. Files lose nothing by an end at any moment where each appears whole or not at all.
    """
    before = _unhandled({signal.SIGINT})
    for number in before:
        signal.signal(number, _break_in_once)
    try:
        yield
    finally:
        stopped = isinstance(sys.exc_info()[1], KeyboardInterrupt)
        for number, handler in before.items():
            signal.signal(number, _end_at_once if stopped else handler)


def _break_in_once(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, _end_at_once)
    raise KeyboardInterrupt


def _end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    if os.isatty(2):
        os.write(2, b"\x1b[?25h\n")  # a bar hides the cursor while it is there
    os._exit(130)


def _unhandled(signals: set[signal.Signals]) -> dict[int, Handler]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {int(number): signal.getsignal(number) for number in signals}
    return {
        number: handler
        for number, handler in handlers.items()
        if handler in (signal.default_int_handler, signal.SIG_DFL, _break_in_once, _end_at_once)
    }
