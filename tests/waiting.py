"""Waiting for what comes a little later, and on a busy machine much later."""

import subprocess
import time
from collections.abc import Callable


def wait_for(true: Callable[[], object], seconds: float = 120, *, shown: Callable[[], str] = lambda: "") -> None:
    """`shown` says what there is instead, for the message when the time is over."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it never came true in {seconds} s; {shown()}"
        time.sleep(0.02)


def wait_beside(true: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120) -> None:
    """As `wait_for`; the process must be at work until then."""

    def came_true() -> object:
        found = true()
        assert found or process.poll() is None, process.communicate()
        return found

    wait_for(came_true, seconds)
