import numpy as np
import torch

from img2img.randomness import derive_seed, normal, uniform

KEYS = torch.tensor([derive_seed(1, "sample", n) for n in range(4000)])


def test_seeds_differ_by_purpose_and_place() -> None:
    seeds = {derive_seed(seed, purpose, n) for seed in (0, 1) for purpose in ("step", "order") for n in range(50)}
    assert len(seeds) == 200
    assert derive_seed(0, "step", 7) == derive_seed(0, "step", 7)


def test_draws_depend_on_the_key_alone_and_not_on_the_batch_around_it() -> None:
    whole = normal(KEYS[:16], (3, 2), "z")
    assert torch.equal(whole[8:], normal(KEYS[8:16], (3, 2), "z"))
    assert torch.equal(whole[5], normal(KEYS[5:6], (3, 2), "z")[0])


def test_two_purposes_draw_differently() -> None:
    a, b = normal(KEYS, (1,), "critic"), normal(KEYS, (1,), "generator")
    assert abs(torch.corrcoef(torch.cat([a, b], 1).T)[0, 1]) < 0.05


def test_uniform_is_even() -> None:
    drawn = uniform(KEYS, (25,), "share")
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn.numpy(), bins=20, range=(0, 1))[0]
    expected = drawn.numel() / 20
    assert ((counts - expected) ** 2 / expected).sum() < 44  # chi squared, 19 degrees of freedom: p = 0.001


def test_neighbours_are_independent_within_a_sample_and_between_samples() -> None:
    drawn = uniform(torch.arange(4000), (25,), "share")  # neighbouring keys, the worst there are
    for one, other in ((drawn[:, :-1], drawn[:, 1:]), (drawn[:-1], drawn[1:])):
        assert abs(np.corrcoef(one.flatten(), other.flatten())[0, 1]) < 0.01


def test_normal_has_the_moments_of_a_standard_normal() -> None:
    drawn = normal(KEYS, (25,), "z").double()
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn**3).mean()) < 0.03
    assert abs((drawn**4).mean() - 3) < 0.1
    assert drawn.isfinite().all()


def test_scalar_draws_have_one_value_a_key() -> None:
    assert uniform(KEYS, (), "share").shape == (4000,)
