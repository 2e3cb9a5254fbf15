"""The crops, flips and tones made on the device: closed forms, and the shares and ranges they are drawn from."""

import albumentations as A
import numpy as np
import pytest
import torch

from img2img.data.augment import (
    cut,
    flipped,
    grainy,
    lit,
    photo_of_stored,
    random_boxes,
    random_squares,
    seen,
    softened,
    toned,
)
from img2img.data.cache import Padded
from img2img.data.sample_order import sample_keys
from img2img.randomness import uniform

MANY = 4000


def padded(height: int, width: int, *, count: int = 1, longest: int = 0, value: int = 255) -> Padded:
    """Pictures of one value on black padding."""
    short, length = min(height, width), max(height, width)
    pixels = torch.zeros(count, 3, short, max(longest, length), dtype=torch.uint8)
    pixels[..., :length] = value
    return Padded(pixels, torch.full((count,), length), torch.full((count,), height > width))


def boxes_for(height: int, width: int, count: int = MANY) -> torch.Tensor:
    return random_boxes(sample_keys(1, range(count)), torch.full((count,), height), torch.full((count,), width))


@pytest.mark.parametrize(("height", "width"), [(40, 40), (40, 80), (80, 40), (40, 41)])
def test_boxes_lie_inside_the_picture(height: int, width: int) -> None:
    top, left, box_height, box_width = boxes_for(height, width).T
    assert top.min() >= 0
    assert left.min() >= 0
    assert (top + box_height).max() <= height + 1e-3
    assert (left + box_width).max() <= width + 1e-3


def test_boxes_have_the_areas_and_ratios_of_random_resized_crop() -> None:
    _, _, height, width = boxes_for(100, 133).T
    area, ratio = height * width / (100 * 133), width / height
    assert area.min() >= 0.3 - 1e-4
    assert ratio.min() >= 0.8 - 1e-4
    assert ratio.max() <= 1.25 + 1e-4
    crop = A.RandomResizedCrop((32, 32), scale=(0.3, 1.0), ratio=(0.8, 1.25))
    crop.set_random_seed(0)
    image = {"shape": (100, 133, 3)}
    theirs = np.array([crop.get_params_dependent_on_data(image, {})["crop_coords"] for _ in range(MANY)])
    their_height, their_width = theirs[:, 3] - theirs[:, 1], theirs[:, 2] - theirs[:, 0]
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    for ours, expected in ((height, their_height), (width, their_width)):
        assert np.quantile(ours.numpy(), shares) == pytest.approx(np.quantile(expected, shares), abs=2)


def test_picture_in_which_no_box_fits_gives_its_middle() -> None:
    box = boxes_for(10, 1000, count=3)
    torch.testing.assert_close(box, torch.tensor([[0.0, 493.75, 10.0, 12.5]]).expand(3, -1))
    box = boxes_for(1000, 10, count=3)
    torch.testing.assert_close(box, torch.tensor([[493.75, 0.0, 12.5, 10.0]]).expand(3, -1))


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (40, 40)])
def test_padding_is_never_seen(height: int, width: int) -> None:
    stored = padded(height, width, count=500, longest=80)
    boxes = random_boxes(sample_keys(2, range(500)), torch.full((500,), height), torch.full((500,), width))
    assert cut(stored, boxes, 32).min() > 0.9999
    whole = torch.tensor([[0.0, 0.0, height, width]]).expand(500, -1)
    assert cut(stored, whole, 64).min() > 0.9999


def test_box_of_the_same_size_is_copied() -> None:
    stored = Padded(torch.arange(192, dtype=torch.uint8).view(1, 3, 8, 8), torch.tensor([8]), torch.tensor([False]))
    crop = cut(stored, torch.tensor([[2.0, 3.0, 4.0, 4.0]]), 4)
    torch.testing.assert_close(crop, stored.pixels[:, :, 2:6, 3:7] / 255)


def test_upright_picture_comes_out_upright() -> None:
    picture = torch.randint(0, 256, (1, 3, 9, 6), dtype=torch.uint8)
    stored = Padded(picture.transpose(2, 3), torch.tensor([9]), torch.tensor([True]))
    crop = cut(stored, torch.tensor([[4.0, 1.0, 5.0, 5.0]]), 5)
    torch.testing.assert_close(crop, picture[:, :, 4:9, 1:6] / 255)


def test_enlarged_box_is_interpolated_linearly() -> None:
    ramp = torch.tensor([0, 100, 200], dtype=torch.uint8).expand(1, 3, 3, 3)
    stored = Padded(ramp, torch.tensor([3]), torch.tensor([False]))
    crop = cut(stored, torch.tensor([[0.0, 0.0, 3.0, 3.0]]), 6)
    torch.testing.assert_close(crop[0, 0, 0] * 255, torch.tensor([0.0, 25.0, 75.0, 125.0, 175.0, 200.0]))


def test_square_lies_where_the_key_says() -> None:
    stored = torch.randint(0, 256, (1, 3, 7, 9), dtype=torch.uint8)
    key = sample_keys(4, range(40))
    for upright, picture, places in ((False, stored, [3, 5]), (True, stored.transpose(2, 3), [5, 3])):
        corners = (uniform(key, (2,), "square") * torch.tensor(places)).long().tolist()
        for one, (top, left) in zip(key.split(1), corners, strict=True):
            square = random_squares(Padded(stored, torch.tensor([9]), torch.tensor([upright])), one, 5)
            assert torch.equal(square, picture[:, :, top : top + 5, left : left + 5].float() / 127.5 - 1)


def test_every_place_of_a_square_is_as_likely_as_another() -> None:
    ramp = torch.arange(12, dtype=torch.uint8).expand(MANY, 3, 10, 12)
    stored = Padded(ramp, torch.full((MANY,), 12), torch.zeros(MANY, dtype=torch.bool))
    left = ((random_squares(stored, sample_keys(0, range(MANY)), 8)[:, 0, 0, 0] + 1) * 127.5).round().long()
    counts = torch.bincount(left)
    assert len(counts) == 5
    assert (counts - MANY / 5).abs().max() < 5 * (MANY / 5) ** 0.5


def test_square_of_the_whole_picture_is_the_picture() -> None:
    picture = torch.randint(0, 256, (2, 3, 6, 6), dtype=torch.uint8)
    stored = Padded(picture, torch.tensor([6, 6]), torch.tensor([False, True]))
    squares = random_squares(stored, sample_keys(0, range(2)), 6)
    assert torch.equal(squares[0], picture[0].float() / 127.5 - 1)
    assert torch.equal(squares[1], picture[1].transpose(1, 2).float() / 127.5 - 1)


def test_crop_is_a_square_of_which_half_are_mirrored() -> None:
    ramp = torch.arange(12, dtype=torch.uint8).expand(MANY, 3, 10, 12)
    stored = Padded(ramp, torch.full((MANY,), 12), torch.zeros(MANY, dtype=torch.bool))
    key = sample_keys(0, range(MANY))
    crops = seen(stored, key, 8, "crop")
    assert torch.equal(crops, flipped(random_squares(stored, key, 8), key))
    rising = crops[:, 0, 0, 0] < crops[:, 0, 0, 1]
    assert rising.float().mean() == pytest.approx(0.5, abs=0.04)


def test_flip_mirrors_half_of_the_samples_by_their_keys() -> None:
    key = sample_keys(0, range(MANY))
    images = torch.tensor([0.0, 1.0]).expand(MANY, 3, 2, 2)
    mirrored = flipped(images, key)[:, 0, 0, 0] == 1
    assert torch.equal(mirrored, uniform(key, (), "flip") < 0.5)
    assert mirrored.float().mean() == pytest.approx(0.5, abs=0.04)


def test_tones_follow_their_closed_form() -> None:
    key = sample_keys(0, range(200))
    changed = uniform(key, (), "tone") < 0.4
    contrast = torch.where(changed, 0.8 + 0.4 * uniform(key, (), "contrast"), 1)
    brightness = torch.where(changed, 0.3 * uniform(key, (), "brightness") - 0.15, 0)
    gamma = torch.where(uniform(key, (), "gamma, whether") < 0.3, 0.75 + 0.55 * uniform(key, (), "gamma"), 1)
    for grey in (0.1, 0.5, 0.95):
        expected = (grey * contrast + brightness).clamp(0, 1) ** gamma
        toned_grey = toned(torch.full((200, 3, 2, 2), grey), key)
        torch.testing.assert_close(toned_grey, expected[:, None, None, None].expand(-1, 3, 2, 2))


def test_light_keeps_black_and_white_red_or_white_blue() -> None:
    key = sample_keys(3, range(MANY))
    black, white = (lit(torch.full((MANY, 3, 2, 2), level), key) for level in (-1.0, 1.0))
    assert torch.equal(black, torch.full_like(black, -1.0))
    red, green, blue = (white[:, :, 0, 0] / 2 + 0.5).unbind(1)
    assert torch.equal(torch.maximum(red, blue), torch.ones(MANY))
    torch.testing.assert_close(green, (red + blue) / 2)
    assert 0.3 <= blue.min() < 0.35
    assert 0.69 < red.min() < 0.75


def test_light_follows_its_closed_form() -> None:
    key = sample_keys(3, range(200))
    changed = uniform(key, (1, 1, 1), "light, whether").flatten() < 0.3
    gamma = 1 + 1.5 * uniform(key, (1, 1, 1), "light, gamma").flatten()
    warmth = -0.43 + 1.43 * uniform(key, (1, 1, 1), "light, warmth").flatten()
    grey = 0.25**gamma
    red = torch.where(warmth < 0, grey * (1 + 0.7 * warmth), grey)
    blue = torch.where(warmth > 0, grey * (1 - 0.7 * warmth), grey)
    expected = torch.where(changed[:, None], torch.stack([red, (red + blue) / 2, blue], 1), torch.tensor(0.25))
    lit_grey = lit(torch.full((200, 3, 2, 2), -0.5), key) / 2 + 0.5
    torch.testing.assert_close(lit_grey, expected[:, :, None, None].expand(-1, -1, 2, 2))
    assert 45 <= changed.sum() <= 75


def test_about_four_of_ten_are_left_as_they_are() -> None:
    images = torch.full((MANY, 3, 1, 1), 0.5)
    same = (toned(images, sample_keys(0, range(MANY))) == 0.5).flatten(1).all(1)
    assert same.float().mean() == pytest.approx(0.6 * 0.7, abs=0.04)


def test_fifteen_of_a_hundred_are_softened_by_a_gaussian_of_their_own_width() -> None:
    key = sample_keys(0, range(MANY))
    point = torch.zeros(MANY, 1, 15, 15)
    point[:, :, 7, 7] = 1
    soft = softened(point, key)
    blurred = soft[:, 0, 7, 7] < 1
    assert blurred.float().mean() == pytest.approx(0.15, abs=0.03)
    torch.testing.assert_close(soft.sum((1, 2, 3)), torch.ones(MANY))
    sigma = 0.3 + 0.9 * uniform(key, (), "blur")[blurred]
    measured = (soft[blurred, 0, 7, 8] / soft[blurred, 0, 7, 7]).log()
    torch.testing.assert_close(measured, -1 / (2 * sigma**2))


def test_fifteen_of_a_hundred_get_grain_that_is_the_same_in_all_channels() -> None:
    grey = torch.full((MANY, 3, 24, 24), 0.5)
    grain = grainy(grey, sample_keys(0, range(MANY))) - grey
    grainy_ones = grain.flatten(1).any(1)
    assert grainy_ones.float().mean() == pytest.approx(0.15, abs=0.03)
    assert torch.equal(grain[:, 0], grain[:, 2])
    deviation = grain[grainy_ones, 0].flatten(1).std(1)
    assert deviation.min() > 0.008
    assert deviation.max() < 0.06
    assert deviation.mean() == pytest.approx(0.03, abs=0.003)


def test_photo_depends_on_its_own_key_alone() -> None:
    stored = Padded(
        torch.randint(0, 256, (6, 3, 20, 30), dtype=torch.uint8), torch.full((6,), 30), torch.tensor([False] * 6)
    )
    key = sample_keys(0, range(6))
    together = photo_of_stored(stored, key, 16)
    assert together.shape == (6, 3, 16, 16)
    assert together.min() >= -1
    assert together.max() <= 1
    for place in range(6):
        alone = photo_of_stored(Padded(*(part[[place]] for part in stored)), key[[place]], 16)
        torch.testing.assert_close(together[[place]], alone, rtol=0, atol=1e-6)
