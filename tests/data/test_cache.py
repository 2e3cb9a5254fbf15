"""What a decoded set looks like in memory, and when it is worth having."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from img2img.data import cache as cache_module
from img2img.data.cache import Cache, settled_cache
from img2img.data.image_source import ImageSource
from img2img.errors import SettingError

CPU = torch.device("cpu")


class Drawn(ImageSource):
    """Pictures of one colour a piece, of given sizes (height, width)."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def name(self, index: int) -> str:
        return str(index)

    def encoded(self, index: int) -> bytes:
        raise NotImplementedError

    def rgb(self, index: int) -> np.ndarray:
        return np.full((*self.sizes[index], 3), 10 + index, np.uint8)


class Many(Drawn):
    def __len__(self) -> int:
        return 10**6


def settled(source: ImageSource, cache: str = "auto", **changes: Any) -> str:
    settings = {"image_size": 32, "augment": "none", "samples": 10**9, "device": CPU}
    return settled_cache(cache, [source], **(settings | changes))


def test_photos_are_stored_with_a_margin_and_at_most_twice_as_long_as_wide() -> None:
    source = Drawn((100, 150), (90, 60), (64, 640))
    stored, labels = Cache(source, image_size=32, augment="photo", on=CPU).take([0, 1, 2], CPU)
    assert stored.pixels.shape == (3, 3, 48, 96)
    assert stored.lengths.tolist() == [72, 72, 96]
    assert stored.upright.tolist() == [False, True, False]
    assert labels is None
    for place, length in enumerate(stored.lengths):
        assert (stored.pixels[place, :, :, :length] == 10 + place).all()
        assert (stored.pixels[place, :, :, length:] == 0).all()


def test_upright_picture_lies_transposed() -> None:
    class Rows(Drawn):
        def rgb(self, index: int) -> np.ndarray:
            return np.broadcast_to(np.arange(72, dtype=np.uint8)[:, None, None], (72, 48, 3))

    stored, _ = Cache(Rows((72, 48)), image_size=32, augment="photo", on=CPU).take([0], CPU)
    assert torch.equal(stored.pixels[0, 0, 7], torch.arange(72, dtype=torch.uint8))


def test_without_random_crops_the_square_itself_is_stored() -> None:
    stored, _ = Cache(Drawn((100, 150), (90, 60)), image_size=32, augment="flip", on=CPU).take([1], CPU)
    assert stored.pixels.shape == (1, 3, 32, 32)


def test_for_crops_pictures_are_stored_as_much_larger_as_in_the_paper() -> None:
    stored, _ = Cache(Drawn((512, 768), (300, 300)), image_size=256, augment="crop", on=CPU).take([0, 1], CPU)
    assert stored.pixels.shape == (2, 3, 286, 429)
    assert stored.lengths.tolist() == [429, 286]


def test_memory_and_device_hold_the_same(colour_photos: Path) -> None:
    from img2img.data.batches import training_batches
    from img2img.data.open_source import open_source

    source = open_source([colour_photos])
    for augment in ("none", "flip", "crop", "light", "photo", "aged"):
        kinds = [
            list(
                training_batches(
                    {"image": source}, image_size=32, batch_size=4, augment=augment, first=0, stop=8, seed=1,
                    device=CPU, cache=cache,
                )
            )
            for cache in ("memory", "device")
        ]  # fmt: skip
        for memory, device in zip(*kinds, strict=True):
            assert all(torch.equal(memory[name], device[name]) for name in memory)


def test_unknown_cache_lists_the_choices() -> None:
    with pytest.raises(SettingError, match="one of auto, device, memory, none"):
        settled(Drawn((9, 9)), "disk")


@pytest.mark.parametrize("cache", ["device", "memory", "none"])
def test_named_cache_is_taken_as_it_is(cache: str) -> None:
    assert settled(Many(), cache) == cache


def test_small_set_is_kept_and_large_one_is_not() -> None:
    assert settled(Drawn((9, 9))) == "memory"
    assert settled(Many(), image_size=16) == "memory"  # 0.77 GB
    assert settled(Many(), image_size=32) == "none"  # 3.1 GB


def test_set_that_is_not_gone_through_once_is_not_decoded_first() -> None:
    assert settled(Many(), image_size=16, samples=10**6) == "memory"
    assert settled(Many(), image_size=16, samples=10**6 - 1) == "none"


def test_domains_are_weighed_together() -> None:
    together = {"image_size": 16, "augment": "none", "device": CPU}
    assert settled_cache("auto", [Many()], samples=10**6, **together) == "memory"
    assert settled_cache("auto", [Many(), Many()], samples=10**6, **together) == "none"
    assert settled_cache("auto", [Drawn((9, 9)), Many()], samples=10**6 - 1, **together) == "none"


@pytest.mark.parametrize("augment", ["photo", "aged"])
def test_random_crops_of_photos_are_left_to_albumentations_on_the_cpu(augment: str) -> None:
    assert settled(Drawn((9, 9)), augment=augment) == "none"


@pytest.mark.parametrize(("free", "expected"), [(8e9, "device"), (7e9, "none")])
def test_set_goes_onto_the_gpu_when_it_fits_beside_the_training(
    monkeypatch: pytest.MonkeyPatch, free: float, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 80e9))
    assert settled(Many(), image_size=32, device=torch.device("cuda")) == expected  # 3.07 GB


def test_long_decoding_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
    Cache(Drawn((9, 9), (9, 9)), image_size=8, augment="none", on=CPU)
    assert not log.messages
    monkeypatch.setattr(cache_module, "TELL_EVERY", 0)
    Cache(Drawn((9, 9), (9, 9)), image_size=8, augment="none", on=CPU)
    assert log.messages == ["decoded 1 of 2 images", "decoded 2 of 2 images"]
