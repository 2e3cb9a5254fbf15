"""A still that moves: inside its frame, straight and evenly between two walls, by its own key."""

import pytest
import torch

from img2img.data.moving import moving, paths
from img2img.data.sample_order import sample_keys

WHITE = torch.ones(40, 3, 32, 32)


def centroids(video: torch.Tensor) -> torch.Tensor:
    """(N, T, 2): where the light of each frame is on average, in pixels."""
    light = video[:, 0] + 1
    place = torch.arange(video.shape[-1], dtype=torch.float32)
    total = light.sum((2, 3))
    return torch.stack([(light.sum(3) * place).sum(2) / total, (light.sum(2) * place).sum(2) / total], 2)


def test_picture_of_five_eighths_stays_whole_inside_the_frame() -> None:
    video = moving(WHITE, sample_keys(0, range(40)), 16)
    assert video.shape == (40, 3, 16, 32, 32)
    light = (video[:, 0] + 1) / 2
    torch.testing.assert_close(light.sum((2, 3)), torch.full((40, 16), 400.0))  # 20 by 20 white pixels
    assert light.min() >= 0
    assert light.max() <= 1 + 1e-6


@pytest.mark.parametrize("size", [32, 64])
def test_speed_is_constant_between_bounces_and_one_to_three_pixels_at_32(size: int) -> None:
    key = sample_keys(0, range(40))
    steps = centroids(moving(torch.ones(40, 3, size, size), key, 16)).diff(dim=1)
    # Steps along an axis are equally long, but for those in which a wall is met: these are shorter.
    speeds = steps.abs().amax(1)
    whole_steps = torch.isclose(steps.abs(), speeds[:, None], atol=1e-3).float().mean()
    assert whole_steps > 0.6
    assert (steps.abs() <= speeds[:, None] + 1e-3).all()
    speed = speeds.norm(dim=1) * 32 / size
    assert speed.min() >= 1 - 1e-2
    assert speed.max() <= 3 + 1e-2
    assert speed.max() - speed.min() > 1


def test_bounce_reverses_one_direction_and_keeps_the_other() -> None:
    steps = paths(sample_keys(0, range(200)), 40, 32, 12).diff(dim=1)
    signs = steps.sign()
    turned = (signs[:, 1:] != signs[:, :-1]).float().mean((0, 1))
    assert (turned > 0.02).all()  # in both directions, now and then
    assert (turned < 0.35).all()


def test_path_starts_anywhere_and_reaches_both_walls() -> None:
    places = paths(sample_keys(0, range(500)), 60, 32, 12)
    assert places.min() >= 0
    assert places.max() <= 12
    assert places.min() < 0.1
    assert places.max() > 11.9
    assert places[:, 0].mean() == pytest.approx(6, abs=0.6)


def test_straight_path_is_start_plus_time_times_velocity() -> None:
    place = paths(sample_keys(0, [0]), 5, 3200, 100_000)[0]  # walls that are never reached
    torch.testing.assert_close(place.diff(dim=0), (place[1] - place[0]).expand(4, 2), rtol=1e-3, atol=0.1)


def test_video_depends_on_its_own_key_alone() -> None:
    stills = torch.rand(4, 3, 16, 16) * 2 - 1
    key = sample_keys(0, range(4))
    together = moving(stills, key, 6)
    alone = torch.cat([moving(stills[[place]], key[[place]], 6) for place in range(4)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
    assert not torch.equal(moving(stills, sample_keys(1, range(4)), 6), together)
