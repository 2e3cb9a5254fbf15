"""What is measured while a translator trains: on the scale between real and untouched pictures, disturbing nobody."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mean_colour import draw_colours, mean_colour
from torch import nn

from img2img.data.image_source import ImageSource, Subset
from img2img.data.open_source import open_source
from img2img.evaluation.sets.feature_network import PooledFeatures
from img2img.evaluation.sets.pictures import MOST, looked_at, source_features
from img2img.evaluation.sets.translation import TranslationQuality, translated

RED, BLUE = (190, 70, 60), (60, 70, 190)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageSource, ImageSource, ImageSource, ImageSource]:
    """Red pictures and blue ones to train on, then those that are held out."""
    folder = tmp_path_factory.mktemp("domains")
    drawn = [(40, RED), (50, BLUE), (20, RED), (20, BLUE)]
    return tuple(
        open_source([draw_colours(folder / str(n), count, colour, seed=n)]) for n, (count, colour) in enumerate(drawn)
    )


def quality(sources, **more: Any) -> TranslationQuality:
    return TranslationQuality(*sources, image_size=32, features=mean_colour(), **more)


def unchanged(x: torch.Tensor) -> torch.Tensor:
    return x


def red_for_blue(x: torch.Tensor) -> torch.Tensor:
    return x.flip(1)


def test_generators_that_change_nothing_reach_the_ceiling_and_perfect_ones_the_floor(
    sources: tuple[ImageSource, ImageSource, ImageSource, ImageSource],
) -> None:
    measured = quality(sources)
    lazy, perfect = measured.measure(unchanged, unchanged), measured.measure(red_for_blue, red_for_blue)
    for name, ceiling in lazy.items():
        assert ceiling == pytest.approx(measured.reference[f"{name}_ceiling"])
        floor = measured.reference[f"{name}_floor"]
        assert abs(perfect[name] - floor) < 0.02 * (ceiling - floor)
    assert set(lazy) == {"kid_ab", "fd_ab", "kid_ba", "fd_ba"}


def test_each_direction_is_judged_by_its_own_generator(
    sources: tuple[ImageSource, ImageSource, ImageSource, ImageSource],
) -> None:
    measured = quality(sources)
    half = measured.measure(red_for_blue, unchanged)
    assert half["fd_ab"] < 0.1 * half["fd_ba"]


def test_frechet_distance_of_the_ceiling_is_that_of_the_mean_colours(
    sources: tuple[ImageSource, ImageSource, ImageSource, ImageSource],
) -> None:
    apart = np.subtract(RED, BLUE) / 127.5
    assert quality(sources).reference["fd_ab_ceiling"] == pytest.approx(np.sum(apart**2), rel=0.1)


@pytest.mark.slow
def test_measuring_draws_no_random_numbers(sources: tuple[ImageSource, ImageSource, ImageSource, ImageSource]) -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    measured = TranslationQuality(*[Subset(source, range(3)) for source in sources], image_size=32)
    measured.measure(unchanged, unchanged)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


@pytest.mark.slow
def test_real_pictures_are_read_once(
    sources: tuple[ImageSource, ImageSource, ImageSource, ImageSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = quality(sources)
    before = measured.reference, measured.measure(red_for_blue, red_for_blue)
    read = []
    monkeypatch.setattr(ImageSource, "rgb", count_reads(ImageSource.rgb, read))
    assert (measured.reference, measured.measure(red_for_blue, red_for_blue)) == before
    assert len(read) == 40  # the held-out ones, to be translated


def count_reads(rgb, read):
    def counted(source, index):
        read.append(index)
        return rgb(source, index)

    return counted


def test_features_that_a_folder_keeps_serve_another_time_and_only_for_the_same_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source([draw_colours(tmp_path / "pictures", 12, RED)])
    first = source_features(source, mean_colour(), cache_dir=tmp_path / "kept")
    read = []
    monkeypatch.setattr(ImageSource, "rgb", count_reads(ImageSource.rgb, read))
    assert torch.equal(source_features(source, mean_colour(), cache_dir=tmp_path / "kept"), first)
    assert not read
    draw_colours(tmp_path / "pictures", 1, BLUE)  # another picture under the name of the first
    changed = source_features(source, mean_colour(), cache_dir=tmp_path / "kept")
    assert len(read) == 12
    assert torch.equal(changed[1:], first[1:])
    assert not torch.equal(changed[0], first[0])


class Rounding(nn.Conv2d):
    """As a GPU may: each call's last digits differ."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + 1e-6 * torch.rand(())


def test_kept_features_are_found_again_whatever_the_last_digits_and_only_for_the_same_network(tmp_path: Path) -> None:
    source = open_source([draw_colours(tmp_path / "pictures", 3, RED)])
    layer = Rounding(3, 3, 1)
    first = source_features(source, PooledFeatures(layer, side=8, name="layer"), cache_dir=tmp_path / "kept")
    again = source_features(source, PooledFeatures(layer, side=8, name="layer"), cache_dir=tmp_path / "kept")
    assert torch.equal(again, first)
    torch.nn.init.zeros_(layer.weight)
    other = source_features(source, PooledFeatures(layer, side=8, name="layer"), cache_dir=tmp_path / "kept")
    assert not torch.allclose(other, first, atol=1e-3)


def test_damaged_features_are_taken_again(tmp_path: Path) -> None:
    source = open_source([draw_colours(tmp_path / "pictures", 3, RED)])
    first = source_features(source, mean_colour(), cache_dir=tmp_path / "kept")
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(b"")
    assert torch.equal(source_features(source, mean_colour(), cache_dir=tmp_path / "kept"), first)
    kept.write_bytes(b"not an array")
    assert torch.equal(source_features(source, mean_colour(), cache_dir=tmp_path / "kept"), first)


def test_change_is_enlarged_and_added_to_the_sharp_picture() -> None:
    board = (64 + 64 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2)).to(torch.uint8).expand(2, 3, 64, 64)
    sizes = []

    def brighter(x: torch.Tensor) -> torch.Tensor:
        sizes.append(tuple(x.shape))
        return x + 10 / 127.5

    assert torch.equal(translated(brighter, board, 16), board + 10)
    assert sizes == [(2, 3, 16, 16)]


def test_generator_sees_no_colours_beyond_white_and_black() -> None:
    stripes = (255 * (torch.arange(64) // 16 % 2)).to(torch.uint8).expand(1, 3, 64, 64)
    extremes = []
    translated(lambda x: extremes.extend(map(float, x.aminmax())) or x, stripes, 48)
    assert extremes == [-1, 1]


def test_colours_beyond_white_and_black_are_clipped() -> None:
    grey = torch.full((1, 3, 8, 8), 200, dtype=torch.uint8)
    assert (translated(lambda x: x + 1, grey, 8) == 255).all()
    assert (translated(lambda x: x - 2, grey, 4) == 0).all()


class Many(ImageSource):
    def __len__(self) -> int:
        return 5 * MOST

    def name(self, index: int) -> str:
        return str(index)

    def encoded(self, index: int) -> bytes:
        return b""


def test_of_very_many_pictures_so_many_at_equal_steps_are_looked_at() -> None:
    chosen = looked_at(Many())
    assert (len(chosen), chosen[0], chosen[-1]) == (MOST, 0, 5 * MOST - 1)
    assert {later - earlier for earlier, later in pairwise(chosen)} == {5, 6}
