"""Targets with one fault each, which the harness must see."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from fuzz.verdict import AGREED, Comparison, Verdict
from img2img.errors import UnreadablePhoto


def right(path: Path, folder: Path) -> Verdict:
    return Verdict(AGREED)


def crashes(path: Path, folder: Path) -> Verdict:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Verdict(AGREED)


def leaves(path: Path, folder: Path) -> Verdict:
    print("the last words", file=sys.stderr, flush=True)
    os._exit(3)


def computes_forever(path: Path, folder: Path) -> Verdict:
    while True:
        pass


def waits_forever(path: Path, folder: Path) -> Verdict:
    while True:
        time.sleep(1)


def allocates(path: Path, folder: Path) -> Verdict:
    # Empty, as the limit is on addresses: pages that are written take longer than the limit of time on a busy machine.
    kept = [np.empty(1 << 25, np.uint8) for _ in range(1000)]
    return Verdict(AGREED, str(len(kept)))


def hides_its_hunger(path: Path, folder: Path) -> Verdict:
    try:
        return allocates(path, folder)
    except MemoryError:
        raise UnreadablePhoto(f"{path}: not enough memory; close other programs") from None


def raises(path: Path, folder: Path) -> Verdict:
    raise TypeError(f"{path}: unsupported operand")


def refuses(path: Path, folder: Path) -> Verdict:
    raise UnreadablePhoto(f"{path}: damaged; copy it again")


def refuses_without_a_name(path: Path, folder: Path) -> Verdict:
    raise UnreadablePhoto("damaged; copy it again")


def warns(path: Path, folder: Path) -> Verdict:
    logging.getLogger("decoder").warning("a tag of a kind that nobody knows")
    return Verdict(AGREED)


def warns_of_the_file(path: Path, folder: Path) -> Verdict:
    logging.getLogger("decoder").warning("%s: a tag of a kind that nobody knows", path)
    return Verdict(AGREED)


def mirrored(path: Path, folder: Path) -> Comparison:
    """A reader that takes left for right."""
    from dataclasses import replace

    from fuzz.second_decoder import compared
    from img2img.photo import read_photo

    read = read_photo(path)
    wrong = replace(read, pixels=np.ascontiguousarray(read.pixels[:, ::-1]))
    return partial(compared, wrong, path.read_bytes())


def compared_by_what_crashes(path: Path, folder: Path) -> Comparison:
    return partial(crashes, path, folder)
