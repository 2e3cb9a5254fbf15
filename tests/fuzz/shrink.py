"""A finding made small: parts are left out, and contents halved, for as long as it stays the same finding."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fuzz.containers import SPLITTERS
from fuzz.parts import Part, mend_all


def shrunk(data: bytes, container: str, still: Callable[[bytes], bool], *, seconds: float = 15) -> bytes:
    """The smallest that the time allows; `still` says whether bytes are the finding, as `data` is."""
    deadline = time.monotonic() + seconds
    for without in (_dropped, _halved):
        place = 0
        while time.monotonic() < deadline:
            candidates = list(without(data, container, place))
            if not candidates:
                break
            smaller = (each for each in candidates if len(each) < len(data) and still(each))
            found = next(smaller, None)
            data, place = (data, place + 1) if found is None else (found, place)
    return data


def _dropped(data: bytes, container: str, place: int) -> Iterator[bytes]:
    """Without the part at that place, lengths and checksums mended or not. Nothing where no place is left."""
    for mended in (True, False):
        root = SPLITTERS[container](data)
        places = list(root.places())
        if place < len(places):
            siblings, index = places[place]
            del siblings[index]
            yield _bytes(root, mended)


def _halved(data: bytes, container: str, place: int) -> Iterator[bytes]:
    for mended in (True, False):
        root = SPLITTERS[container](data)
        bodies = [part for part in root.below() if part.body]
        if place < len(bodies):
            bodies[place].body = bodies[place].body[: len(bodies[place].body) // 2]
            yield _bytes(root, mended)


def _bytes(root: Part, mended: bool) -> bytes:
    if mended:
        mend_all(root)
    return bytes(root)
