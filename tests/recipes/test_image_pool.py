import pytest
import torch
from torch import Tensor

from img2img.recipes.translation import image_pool
from img2img.recipes.translation.image_pool import ImagePool

SHAPE = (3, 4, 4)


def flat(*levels: int) -> Tensor:
    """(N, 3, 4, 4): pictures of one grey level of 255 each."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, *SHAPE) / 127.5 - 1


def levels(images: Tensor) -> list[int]:
    return ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn for keys 0 to 4: whether to swap (below a half), and the place of the two there are."""
    numbers = {"image pool, swap": [0.1, 0.1, 0.2, 0.7, 0.1], "image pool, place": [0.9, 0.0, 0.9, 0.9, 0.1]}
    monkeypatch.setattr(image_pool, "uniform", lambda key, shape, purpose: torch.tensor(numbers[purpose])[key])


@pytest.mark.parametrize("together", [True, False])
def test_pool_fills_then_swaps_half_of_the_time_as_worked_by_hand(drawn, together: bool) -> None:
    pool = ImagePool(2, SHAPE)
    keys = torch.arange(5).split(5 if together else 1)
    images = flat(10, 20, 30, 40, 50).split(5 if together else 1)
    returned = [level for one, key in zip(images, keys, strict=True) for level in levels(pool.query(one, key))]
    assert returned == [10, 20, 20, 40, 10]  # filled; filled; the second for the third; itself; the first for the fifth
    assert pool.images[:, 0, 0, 0].tolist() == [50, 30]
    assert pool.filled == 2


def test_pool_keeps_pictures_to_half_a_grey_level() -> None:
    pool = ImagePool(4, SHAPE)
    images = torch.rand(4, *SHAPE) * 2 - 1
    assert torch.equal(pool.query(images, torch.arange(4)), images)  # what is new is returned as it came
    assert pool.images.dtype == torch.uint8
    assert (pool.images.float() / 127.5 - 1 - images).abs().max() <= 0.5 / 127.5 + 1e-6


def test_pool_clips_what_lies_beyond_the_range() -> None:
    pool = ImagePool(2, SHAPE)
    pool.query(torch.cat([torch.full((1, *SHAPE), -1.5), torch.full((1, *SHAPE), 1.5)]), torch.arange(2))
    assert pool.images[:, 0, 0, 0].tolist() == [0, 255]


def test_full_pool_returns_an_older_picture_half_of_the_time() -> None:
    pool = ImagePool(50, SHAPE)
    pool.query(flat(*[0] * 50), torch.arange(50))
    old = sum(levels(pool.query(flat(255), torch.tensor([1000 + turn])))[0] == 0 for turn in range(40))
    assert 10 <= old <= 30
    assert int((pool.images[:, 0, 0, 0] == 255).sum()) == old


def test_pool_of_no_size_returns_what_it_is_given() -> None:
    images = torch.rand(2, *SHAPE)
    assert ImagePool(0, SHAPE).query(images, torch.arange(2)) is images


def test_every_process_keeps_the_pool_that_one_would_and_gets_its_own_part() -> None:
    whole, parts = ImagePool(3, SHAPE), [ImagePool(3, SHAPE) for _ in range(2)]
    for turn in range(6):
        images, key = torch.rand(4, *SHAPE) * 2 - 1, torch.arange(4) + 100 * turn
        expected = whole.query(images, key)
        for pool, mine in zip(parts, (slice(0, 2), slice(2, 4)), strict=True):
            pool.gather = lambda rows, images=images, key=key: key if rows.ndim == 1 else images
            assert torch.equal(pool.query(images[mine], key[mine]), expected[mine])
    assert all(torch.equal(pool.images, whole.images) and pool.filled == whole.filled for pool in parts)


def test_pool_restored_from_its_state_goes_on_as_if_never_stopped() -> None:
    pool, restored = ImagePool(3, SHAPE), ImagePool(3, SHAPE)
    pool.query(torch.rand(2, *SHAPE), torch.arange(2))  # not full yet
    restored.load_state_dict(pool.state_dict())
    for turn in range(1, 5):
        images, key = torch.rand(2, *SHAPE), torch.arange(2) + 2 * turn
        assert torch.equal(restored.query(images, key), pool.query(images, key))


def test_pool_asks_nothing_of_the_host() -> None:
    pool = ImagePool(2, SHAPE).to("meta")  # has no values to ask for
    assert pool.query(torch.empty(3, *SHAPE, device="meta"), torch.arange(3, device="meta")).is_meta


def test_no_gradient_reaches_a_generator_through_the_pool() -> None:
    pool = ImagePool(1, SHAPE)
    assert not pool.query(torch.rand(2, *SHAPE, requires_grad=True), torch.arange(2)).requires_grad
