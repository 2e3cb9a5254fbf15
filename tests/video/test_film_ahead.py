"""Items made ahead by a thread: in order, no more than asked for, errors where they are taken, threads ended."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for

from img2img.video.ahead import ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_items_come_in_order(items: list[int], size: int) -> None:
    with ahead(items, size) as coming:
        assert list(coming) == items


def test_no_more_are_made_than_there_is_room_for() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with ahead(items(), 3) as coming:
        assert next(coming) == 0
        wait_for(lambda: len(made) == 5)
        time.sleep(0.1)
        assert len(made) == 5, "one taken, three in the queue, one waiting to get in"
    assert len(made) == 5


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with ahead(items(), 4) as coming:
        assert next(coming) == 1
        with pytest.raises(ValueError, match="broken"):
            next(coming)


def test_the_threads_have_ended_when_the_block_has() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            number += 1
            yield number

    before = set(threading.enumerate())
    with ahead(endless(), 2) as first, ahead((2 * each for each in first), 2) as second:
        assert next(second) == 2
        begun = set(threading.enumerate()) - before
        assert len(begun) == 2
    assert not begun & set(threading.enumerate())
