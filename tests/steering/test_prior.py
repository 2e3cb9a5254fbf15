"""A prior over color classes: neutral where nothing is asked, closed forms for two classes, any reference."""

import numpy as np
import pytest

from img2img.errors import UsageError
from img2img.lab import Floats
from img2img.networks.quantised_ab import class_centres
from img2img.photo import Photo
from img2img.steering.color_classes import ColorClasses
from img2img.steering.colors import Color, ab_of
from img2img.steering.prior import (
    SMALL,
    Prior,
    class_prior,
    fitted_weights,
    palette_weights,
    reference_shares,
    small_reference,
    warmth_weights,
)

RED, GREEN, GREY = (190, 40, 40), (60, 130, 60), (128, 128, 128)
CENTRES = class_centres().numpy()
CLASSES = ColorClasses(CENTRES, np.full(len(CENTRES), 1 / len(CENTRES), np.float32), 0.4)
FAR = ColorClasses(np.stack([ab_of(RED), ab_of(GREEN)]), np.array([0.2, 0.8], np.float32), 0.4)
"""Two classes too far apart to count to each other."""
LOGITS = np.random.default_rng(0).normal(0, 2, (len(CENTRES), 8, 8)).astype(np.float32)


def plain(color: Color, size: tuple[int, int] = (8, 8)) -> Photo:
    return Photo(np.full((*size, 3), color, np.uint8), "RGB")


def nearest(color: Color) -> int:
    return int(np.hypot(*(CENTRES - ab_of(color)).T).argmin())


def weights(prior: Prior | None, logits: Floats = LOGITS) -> Floats:
    assert prior is not None
    return prior.fitted(logits)


def test_nothing_asked_for_is_no_prior() -> None:
    assert class_prior(CLASSES) is None
    assert class_prior(CLASSES, influence=0.3) is None


def test_influence_0_is_no_prior_and_leaves_the_warmth() -> None:
    assert class_prior(CLASSES, reference=plain(RED), palette=[GREEN], influence=0) is None
    alone = weights(class_prior(CLASSES, warmth=0.5))
    np.testing.assert_array_equal(weights(class_prior(CLASSES, palette=[RED], influence=0, warmth=0.5)), alone)


def test_reference_of_one_colour_raises_its_class_most() -> None:
    for color in (RED, GREEN, GREY):
        posterior = np.exp(LOGITS / 0.4).mean((1, 2))
        flat = np.zeros_like(LOGITS)
        assert weights(class_prior(CLASSES, reference=plain(color)), flat).argmax() == nearest(color)
        assert posterior.argmax() != nearest(color)


def test_two_classes_are_fitted_to_their_shares_by_hand() -> None:
    """Flat logits give a half each; 9 to 1, with 0.03 of the half, is 0.888 to 0.112."""
    fitted = fitted_weights(np.array([0.9, 0.1], np.float32), np.ones((2, 5), np.float32), FAR)
    np.testing.assert_allclose(fitted, [1, 0.112 / 0.888], rtol=1e-5)


def test_fitted_posterior_has_nearly_the_shares_of_the_reference() -> None:
    """Two kinds of places, sure of one class by 9 to 1 and the other way: a fifth of all is to be red."""
    sharp = np.array([[9, 1], [1, 9]], np.float32)
    fitted = fitted_weights(np.array([0.2, 0.8], np.float32), sharp, FAR)
    posterior = fitted[:, None] * sharp / (fitted @ sharp)
    np.testing.assert_allclose(posterior.mean(1), [0.209, 0.791], atol=0.02)
    assert posterior[0, 0] > posterior[0, 1]


def test_influence_is_monotone() -> None:
    """The mean colour comes closer to the reference's with every step."""
    distances = []
    for influence in (0.25, 0.5, 0.75, 1):
        prior = class_prior(CLASSES, reference=plain(RED), influence=influence)
        assert prior is not None
        mean = prior.annealed_mean(LOGITS).mean((1, 2))
        distances.append(float(np.hypot(*(mean - ab_of(RED)))))
    assert distances == sorted(distances, reverse=True)
    assert distances[0] - distances[-1] > 10


def test_palette_of_one_class_by_hand() -> None:
    """All of it is red, beside 0.2 in training: 0.95 / 0.2 + 0.05 to 0.05."""
    np.testing.assert_allclose(palette_weights([RED], FAR), [4.8, 0.05], rtol=1e-3)
    np.testing.assert_allclose(weights(class_prior(FAR, palette=[RED])), [1, 0.05 / 4.8], rtol=1e-3)
    half = weights(class_prior(FAR, palette=[RED], influence=0.5))
    np.testing.assert_allclose(half, [1, (0.05 / 4.8) ** 0.5], rtol=1e-3)


def test_order_of_a_palette_does_not_matter() -> None:
    one, other = (weights(class_prior(CLASSES, palette=colors)) for colors in ([RED, GREEN, GREY], [GREY, RED, GREEN]))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_each_colour_of_a_palette_is_likelier_than_what_is_not_on_it() -> None:
    found = weights(class_prior(CLASSES, palette=[RED, GREEN]))
    assert min(found[nearest(RED)], found[nearest(GREEN)]) > 10 * found[nearest((40, 40, 190))]


def test_warmth_by_hand() -> None:
    """20 units along the axis: exp(2 tanh 2), near enough; its opposite; and grey as it was."""
    axis = np.array([0.37, 0.93]) / np.hypot(0.37, 0.93)
    classes = ColorClasses(np.array([[0, 0], 20 * axis, -20 * axis], np.float32), np.full(3, 1 / 3, np.float32))
    odds = np.exp(2 * np.tanh(2 * np.hypot(0.37, 0.93)))
    np.testing.assert_allclose(warmth_weights(1, classes), [1, odds, 1 / odds], rtol=1e-5)
    np.testing.assert_allclose(warmth_weights(-1, classes), [1, 1 / odds, odds], rtol=1e-5)
    np.testing.assert_allclose(warmth_weights(0.5, classes), [1, odds**0.5, odds**-0.5], rtol=1e-5)


def test_warmth_moves_the_mean_toward_yellow_and_cold_toward_blue() -> None:
    means = []
    for warmth in (-1, -0.5, 0.5, 1):
        prior = class_prior(CLASSES, warmth=warmth)
        assert prior is not None
        means.append(float(prior.annealed_mean(LOGITS)[1].mean()))
    assert means == sorted(means)
    assert means[-1] - means[0] > 10


def test_priors_combine_as_a_product() -> None:
    green, colors, warmth = plain(GREEN), [RED, GREY], -0.7
    product = (
        weights(class_prior(CLASSES, reference=green))
        * weights(class_prior(CLASSES, palette=colors))
        * weights(class_prior(CLASSES, warmth=warmth))
    )
    together = weights(class_prior(CLASSES, reference=green, palette=colors, warmth=warmth))
    np.testing.assert_allclose(together, np.maximum(product / product.max(), 1e-8), rtol=1e-4)


def test_grey_reference_leans_to_grey() -> None:
    prior = class_prior(CLASSES, reference=Photo(np.full((5, 5), 90, np.uint8), "L"))
    assert prior is not None
    chroma = np.hypot(*prior.annealed_mean(LOGITS)).mean()
    assert chroma < np.hypot(*CLASSES.annealed_mean(LOGITS, np.ones(len(CENTRES), np.float32))).mean() / 2


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (300, 200)])
def test_reference_may_be_of_any_size(size: tuple[int, int]) -> None:
    prior = class_prior(CLASSES, reference=plain(RED, size))
    assert prior is not None
    np.testing.assert_array_equal(prior.shares, class_prior(CLASSES, reference=plain(RED)).shares)  # type: ignore[union-attr]


def test_small_copy_of_a_reference_counts_as_the_reference_does() -> None:
    rng = np.random.default_rng(0)
    pixels, alpha = rng.integers(0, 256, (200, 300, 3), np.uint8), rng.integers(0, 256, (200, 300), np.uint8)
    for photo in (Photo(pixels, "RGB", alpha), Photo(pixels[..., 0], "L")):
        small = small_reference(photo)
        assert max(small.width, small.height) == SMALL
        np.testing.assert_array_equal(reference_shares(small, CLASSES), reference_shares(photo, CLASSES))


def test_reference_may_have_16_bits() -> None:
    deep = Photo(plain(RED).pixels.astype(np.uint16) * 257, "RGB")
    np.testing.assert_array_equal(
        weights(class_prior(CLASSES, reference=deep)), weights(class_prior(CLASSES, reference=plain(RED)))
    )


def test_transparent_part_of_a_reference_does_not_count() -> None:
    pixels, alpha = plain(RED).pixels.copy(), np.full((8, 8), 255, np.uint8)
    pixels[:, 4:], alpha[:, 4:] = GREEN, 0
    seen = class_prior(CLASSES, reference=Photo(pixels, "RGB", alpha=alpha))
    np.testing.assert_array_equal(weights(seen), weights(class_prior(CLASSES, reference=plain(RED))))


def test_wholly_transparent_reference_counts_as_it_is() -> None:
    hidden = Photo(plain(RED).pixels, "RGB", alpha=np.zeros((8, 8), np.uint8))
    assert weights(class_prior(CLASSES, reference=hidden), np.zeros_like(LOGITS)).argmax() == nearest(RED)


@pytest.mark.parametrize("scale", [0, 1, 30, 1e4])
def test_weights_are_above_0_and_leave_float32_room_for_the_largest_logits(scale: float) -> None:
    prior = class_prior(CLASSES, reference=plain(RED), palette=[GREEN], warmth=-1)
    found = weights(prior, LOGITS * np.float32(scale))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.max() == 1
    assert found.min() >= 1e-8
    assert np.float32(found.min()) * np.exp(np.float32(-60)) > np.finfo(np.float32).tiny
    assert np.isfinite(np.exp(np.float32(60)) * found.sum() * 134)


def test_what_is_left_out_of_the_mean_is_not_missed() -> None:
    """Not even a class of one place only, where the fit does not look."""
    logits = np.kron(LOGITS[:, :3, :3], np.ones((1, 4, 4), np.float32))
    logits[nearest(GREEN), 4, 5] += 30
    prior = class_prior(CLASSES, reference=plain(RED))
    assert prior is not None
    whole = CLASSES.annealed_mean(logits, prior.fitted(logits))
    np.testing.assert_allclose(prior.annealed_mean(logits), whole, atol=0.5)
    assert whole[0, 17, 21] < -10 < 40 < whole[0, 0, 0]  # green amid red


@pytest.mark.parametrize(
    ("option", "value"), [("influence", -0.1), ("influence", 1.5), ("warmth", 2), ("warmth", float("nan"))]
)
def test_number_out_of_range_is_refused(option: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{option} .* is not from"):
        class_prior(CLASSES, palette=[RED], **{option: value})  # type: ignore[arg-type]
