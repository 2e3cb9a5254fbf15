"""Tiles: every pixel drawn once, with a halo of its surroundings seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.inference.tiling import SMALLEST_HALO, TILE_SIDE, spans, tiles


def test_spans_worked_by_hand() -> None:
    """100 px, windows of 60 at most, halos of 10: two windows, which meet in the middle."""
    first, second = spans(100, 60, 10, 10)
    assert (first.core, first.window) == (slice(0, 50), slice(0, 60))
    assert (second.core, second.window) == (slice(50, 100), slice(40, 100))
    assert (first.inner, second.inner) == (slice(0, 50), slice(10, 60))


def test_what_fits_is_one_window() -> None:
    (only,) = spans(60, 60, 10, 10)
    assert only.core == only.window == only.inner == slice(0, 60)


@given(st.integers(1, 400), st.integers(1, 20), st.integers(1, 8), st.sampled_from([1, 4, 16]))
@settings(deadline=None)
def test_each_core_sees_its_halo_in_windows_of_one_size(length: int, core: int, halo: int, multiple: int) -> None:
    length, longest, halo = length * multiple, (core + 2 * halo) * multiple, halo * multiple
    cut = spans(length, longest, halo, multiple)
    assert [each.core.start for each in cut[1:]] == [each.core.stop for each in cut[:-1]]
    assert (cut[0].core.start, cut[-1].core.stop) == (0, length)
    assert len({each.window.stop - each.window.start for each in cut}) == 1
    for each in cut:
        assert 0 <= each.window.start <= each.core.start < each.core.stop <= each.window.stop <= length
        assert each.window.start == 0 or each.core.start - each.window.start >= halo
        assert each.window.stop == length or each.window.stop - each.core.stop >= halo
        assert each.window.stop - each.window.start <= longest
        assert each.window.start % multiple == each.window.stop % multiple == 0


@pytest.mark.parametrize("halo", [0, 100, 500])
def test_tiles_cover_a_picture_once(halo: int) -> None:
    drawn = np.zeros((1600, 2000), int)
    for rows, columns in tiles(1600, 2000, halo=halo, multiple=16):
        drawn[rows.core, columns.core] += 1
        assert rows.window.stop - rows.window.start <= max(TILE_SIDE, 2 * 512 + 352)
        if rows.window.start:
            assert rows.core.start - rows.window.start >= max(halo, SMALLEST_HALO)
    assert (drawn == 1).all()
