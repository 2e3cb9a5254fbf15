"""Looking at the inputs again and again, for the photos that came since.

By polling, on purpose: what a file system tells of its changes does not reach here from a network drive.
"""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

from img2img.batch.job import Found
from img2img.batch.outcome import Outcome

_YOUNG = 60.0
"""Seconds. A file that nobody wrote to for longer is finished; a younger one, or one from the future, is compared with
the look before. Long enough for the clocks of two machines to differ by some of it."""

_Key = tuple[Path, str | None]
_State = tuple[int, int] | None
_Seen = dict[_Key, tuple[_State, bool]]


def rounds(
    look: Callable[[], Iterator[Found | Outcome]], stop: threading.Event, *, pause: float = 1.0
) -> Iterator[Iterator[Found | Outcome]]:
    """What can be converted at each look: photos that did not change since the look before.

    It ends when `stop` is set, within a look as well. A photo that stays comes again in each round. An empty file is
    waited for. A failure comes once, when it was there at two looks, and again when its file changed. Only young photos
    and failures are remembered. A round must be used up before the next is asked for, `pause` seconds later.
    """
    before: _Seen = {}
    while not stop.is_set():
        now: _Seen = {}
        yield takewhile(lambda _: not stop.is_set(), _settled(look(), before, now))
        before = now
        stop.wait(pause)


def _settled(found: Iterator[Found | Outcome], before: _Seen, now: _Seen) -> Iterator[Found | Outcome]:
    for each in found:
        if isinstance(each, Outcome):
            key, state = (each.source, each.error), _state_of(each.source)
            same, told = _compared(key, state, before)
            now[key] = state, same
            if same and not told:
                yield each
        elif not _is_young(each):
            if each.size:
                yield each
        else:
            key, state = (each.source, None), (each.size, each.mtime)
            same, _ = _compared(key, state, before)
            now[key] = state, same
            if same and each.size:
                yield each


def _compared(key: _Key, state: _State, before: _Seen) -> tuple[bool, bool]:
    """Whether it was the same at the look before, and whether that was so then, too."""
    if key not in before:
        return False, False
    last, was_same = before[key]
    return last == state, last == state and was_same


def _is_young(found: Found) -> bool:
    return found.mtime > (time.time() - _YOUNG) * 1e9


def _state_of(path: Path) -> _State:
    """Size and mtime; of the archive, for a path that goes on in one. None where there is no such file here."""
    if "://" in str(path):
        return None
    try:
        found = path.stat()
    except NotADirectoryError:
        return _state_of(path.parent)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns
