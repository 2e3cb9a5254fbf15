"""The kinds of ageing: closed forms, what they leave alone, and that each follows from its sample's key."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_recipe import tiny_recipe
from torch import nn

from img2img.data.sample_order import sample_keys
from img2img.randomness import uniform
from img2img.recipes.ageing import damage, emulsions, textures, tones
from img2img.recipes.ageing.aged import FRAME, KINDS, aged_split, drawn_strengths, same_strengths
from img2img.recipes.ageing.plane import toward
from img2img.recipes.photo_lab import encoded, encoded_grey, grey_lightness, linear, split

SIDE = 64
FEW = sample_keys(0, range(6))


def scenes(count=6):
    """(N, 3, 64, 64) in [-1, 1]: all tones, with edges."""
    coarse = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return nn.functional.interpolate(coarse, SIDE, mode="bilinear")


def greys(count=6):
    """(N, 1, 64, 64) in [0, 1]."""
    return (scenes(count)[:, :1] + 1) / 2


def flat(value, count=6):
    return torch.full((count, 1, SIDE, SIDE), value)


def strength(value, count=6):
    return torch.full((count, 1, 1, 1), float(value))


def changed(name, share, count=6):
    """The greys by one kind, at a share of its range; None is a strength of 0."""
    kind = KINDS[name]
    colour = (scenes(count) + 1) / 2
    strong = strength(0, count) if share is None else kind.at(strength(share, count))
    parts = (encoded_grey(split(scenes(count))[0]), strong, sample_keys(0, range(count)))
    return kind.change(*((colour,) if kind.of_colour else ()), *parts), parts[0]


@pytest.mark.parametrize("name", KINDS)
def test_strength_of_0_changes_nothing(name: str) -> None:
    same, before = changed(name, None)
    torch.testing.assert_close(same, before, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_changes_the_grey_more_at_the_upper_end_of_its_range_and_stays_in_range(name: str) -> None:
    (low, before), (high, _) = changed(name, 0, count=24), changed(name, 1, count=24)
    for after in (low, high):
        assert after.shape == before.shape
        assert after.min() >= -1e-6
        assert after.max() <= 1 + 1e-6
    assert 1e-4 < (low - before).abs().mean() < (high - before).abs().mean()


def test_ageing_follows_from_each_samples_own_key() -> None:
    key, image = sample_keys(3, range(16)), scenes(16)
    lightness, ab = aged_split(image, key)
    order = torch.arange(15, -1, -1)
    backward = aged_split(image[order], key[order])
    torch.testing.assert_close(backward[0][order], lightness, rtol=0, atol=1e-5)
    assert torch.equal(backward[1][order], ab)
    for place in range(16):
        alone = aged_split(image[place : place + 1], key[place : place + 1])
        torch.testing.assert_close(alone[0][0], lightness[place], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone[1][0], ab[place], rtol=0, atol=1e-6)
    assert not torch.allclose(aged_split(image, key + 1)[0], lightness, atol=1e-2)


def test_every_kind_differs_from_key_to_key_but_exposure_softness_and_jpeg() -> None:
    known = {"overexposed", "underexposed", "soft", "jpeg"}  # nothing but their strength is drawn
    for name, kind in KINDS.items():
        same = scenes(1).expand(8, -1, -1, -1)
        strengths = same_strengths({name: kind.strengths[1]}, 8)
        lightness, _ = aged_split(same, torch.arange(8) * 3, strengths)  # multiples of 3 have BT.601's grey
        assert torch.allclose(lightness[:1].expand_as(lightness), lightness, atol=1e-5) == (name in known), name


def test_torchs_own_randomness_is_left_alone() -> None:
    before = torch.get_rng_state()
    aged_split(scenes(16), sample_keys(0, range(16)))
    assert torch.equal(torch.get_rng_state(), before)


def test_half_of_the_photos_stay_clean_and_most_others_get_two_to_four_kinds() -> None:
    count = 2000
    strengths = drawn_strengths(sample_keys(1, range(count)))[..., 0, 0]
    kinds = (strengths > 0).sum(1)
    none_of_an_aged_one = np.prod([1 - kind.probability for kind in KINDS.values()])
    clean = 0.5 + 0.5 * none_of_an_aged_one
    assert 0.5 <= clean < 0.52
    bound = 4 * (clean * (1 - clean) / count) ** 0.5
    assert (kinds == 0).float().mean() == pytest.approx(clean, abs=bound)
    aged = kinds[kinds > 0]
    assert ((aged >= 2) & (aged <= 4)).float().mean() > 0.65


def test_kinds_are_as_frequent_and_as_strong_as_the_table_says() -> None:
    count = 4000
    strengths = drawn_strengths(sample_keys(2, range(count)))[..., 0, 0]
    for kind, column in zip(KINDS.values(), strengths.T, strict=True):
        expected = 0.5 * kind.probability
        assert (column > 0).float().mean() == pytest.approx(expected, abs=4 * (expected / count) ** 0.5)
        there, (low, high) = column[column > 0], kind.strengths
        assert low <= there.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < there.max() <= high


def test_clean_photos_are_what_split_makes_of_them() -> None:
    key, image = sample_keys(0, range(40)), scenes(40)
    lightness, ab = aged_split(image, key)
    clean = ~drawn_strengths(key).flatten(1).any(1)
    expected = split(image, key)
    assert 10 < clean.sum() < 30
    assert torch.equal(lightness[clean], expected[0][clean])
    assert torch.equal(ab[clean], expected[1][clean])
    different = (lightness - expected[0]).flatten(1).abs().amax(1) > 1e-3
    assert torch.equal(different, ~clean)


def test_chroma_stays_the_clean_photos_but_is_0_where_a_frame_covers_it() -> None:
    image, key = scenes(8), sample_keys(4, range(8))
    _, true_ab = split(image, key)
    for name, kind in KINDS.items():
        _, ab = aged_split(image, key, same_strengths({name: kind.strengths[1]}, 8))
        shown = damage.picture(ab, strength(kind.strengths[1] if name == FRAME else 0, 8), key).expand_as(ab)
        assert torch.equal(ab[shown], true_ab[shown])
        assert not ab[~shown].any()
        assert shown.all() == (name != FRAME)


def test_autocast_changes_nothing() -> None:
    image, key = scenes(8), sample_keys(5, range(8))
    strengths = same_strengths({name: kind.strengths[1] for name, kind in KINDS.items()}, 8)
    with torch.autocast("cpu", torch.bfloat16):
        inside = aged_split(image, key, strengths)
    for one, other in zip(inside, aged_split(image, key, strengths), strict=True):
        assert torch.equal(one, other)


# Greys


def test_lightness_and_encoded_grey_are_each_others_way_back() -> None:
    grey = torch.linspace(0, 1, 256).view(1, 1, 16, 16)
    torch.testing.assert_close(encoded_grey(grey_lightness(grey)), grey, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoded(linear(grey)), grey, rtol=0, atol=1e-5)
    lightness, _ = split(grey.expand(-1, 3, -1, -1) * 2 - 1)
    torch.testing.assert_close(grey_lightness(grey), lightness, rtol=0, atol=1e-5)


@pytest.mark.parametrize("emulsion", [emulsions.orthochromatic, emulsions.blue_sensitive])
def test_emulsions_leave_a_grey_scene_alone(emulsion: Any) -> None:
    grey = greys()
    after = emulsion(grey.expand(-1, 3, -1, -1), grey, strength(1), FEW)
    torch.testing.assert_close(after, grey, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("emulsion", "red", "blue"),
    [(emulsions.orthochromatic, (0, 0.15), (0.25, 0.7)), (emulsions.blue_sensitive, (0, 0.09), (0.7, 1))],
)
def test_emulsions_see_little_red_and_much_blue_with_weights_that_add_up_to_1(
    emulsion: Any, red: Any, blue: Any
) -> None:
    count, key = 200, sample_keys(0, range(200))
    seen = []
    for channel in range(3):
        # a light channel in the left half beside white in the right one, whose tone tells the exposure
        colour = torch.zeros(count, 3, 8, 8)
        colour[:, channel] = 1
        colour[..., 4:] = 0.5
        light = linear(emulsion(colour, flat(0.5, count)[..., :8, :8], strength(1, count), key))
        seen.append(light[:, 0, 0, 0] / light[:, 0, 0, 7] * linear(torch.tensor(0.5)))
    seen = torch.stack(seen)
    unclipped = (seen < 0.99).all(0)
    torch.testing.assert_close(seen.sum(0)[unclipped], torch.ones(int(unclipped.sum())), rtol=0, atol=1e-4)
    for weights, (low, high) in ((seen[0], red), (seen[2], blue)):
        assert low - 1e-4 <= weights[unclipped].min()
        assert weights[unclipped].max() <= high + 1e-4


def test_emulsion_is_exposed_for_the_same_mean_light() -> None:
    colour, grey = (scenes() + 1) / 2, encoded_grey(split(scenes())[0])
    after = emulsions.orthochromatic(colour, grey, strength(1), FEW)
    torch.testing.assert_close(linear(after).mean((1, 2, 3)), linear(grey).mean((1, 2, 3)), rtol=0.03, atol=0)


# Tones


def test_a_stop_doubles_the_light_and_clips_what_was_bright() -> None:
    over = tones.overexposed(encoded(torch.tensor([0.2, 0.6])).view(1, 1, 1, 2), strength(1, 1), FEW[:1])
    assert linear(over).flatten().tolist() == pytest.approx([0.4, 1], abs=0.02)  # sRGB is no pure power
    under = tones.underexposed(torch.tensor([0.05, 1.0]).view(1, 1, 1, 2), strength(1, 1), FEW[:1])
    assert under.flatten().tolist() == pytest.approx([0, 0.5 ** (1 / 2.2) - 0.05])


def test_fading_takes_its_share_of_the_contrast_and_raises_the_blacks() -> None:
    ends = torch.tensor([0.0, 1.0]).expand(6, 1, 1, 2)
    black, white = tones.faded(ends, strength(0.4), FEW).squeeze().T
    torch.testing.assert_close(white - black, torch.full((6,), 0.6))
    assert black.min() >= 0.4 * 0.4
    assert black.max() <= 0.4


def test_vignette_spares_the_middle_and_grows_toward_the_corners() -> None:
    after = tones.vignetted(flat(0.5, 200), strength(0.5, 200), sample_keys(0, range(200)))[:, 0]
    corners = torch.stack([after[:, y, x] for y in (0, -1) for x in (0, -1)]) - 0.5
    assert (after[:, 24:40, 24:40].flatten(1) - 0.5).abs().min(1).values.max() < 1e-3
    assert (corners.abs().amin(0) > 0.1).all()
    assert ((corners > 0).all(0) | (corners < 0).all(0)).all()
    assert (corners > 0).all(0).float().mean() == pytest.approx(0.3, abs=0.13)


def test_uneven_fading_is_smooth_and_goes_both_ways() -> None:
    after = tones.unevenly_faded(flat(0.5, 40), strength(0.5, 40), sample_keys(0, range(40)))
    assert after.diff(dim=2).abs().max() < 0.05
    assert after.max() > 0.6
    assert after.min() < 0.4


def test_toward_mixes_with_white_and_black() -> None:
    grey = torch.tensor([0.25, 0.25, 0.25, 0.25])
    assert toward(grey, torch.tensor([1.0, -1.0, 0.5, -0.5])).tolist() == [1, 0, 0.625, 0.125]


# Textures


def test_soft_is_a_gaussian_of_that_width() -> None:
    point = torch.zeros(1, 1, SIDE, SIDE)
    point[..., 32, 20] = 1
    blurred = textures.soft(point, strength(1.2, 1), FEW[:1])[0, 0]
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert (blurred[32, 22] / blurred[32, 20]).item() == pytest.approx(np.exp(-(2**2) / (2 * 1.2**2)), rel=1e-4)
    torch.testing.assert_close(blurred[31:34, 19:22], blurred[31:34, 19:22].T)


def test_soft_leaves_an_even_grey_alone_up_to_the_edges() -> None:
    torch.testing.assert_close(textures.soft(flat(0.3), strength(1.5), FEW), flat(0.3))


def test_grain_has_the_deviation_asked_for_in_the_middle_greys_and_keeps_the_mean() -> None:
    after = textures.film_grain(flat(0.5), strength(0.05), FEW)
    torch.testing.assert_close(after.std((2, 3)), torch.full((6, 1), 0.05), rtol=1e-3, atol=0)
    torch.testing.assert_close(after.mean((2, 3)), torch.full((6, 1), 0.5), rtol=0, atol=8e-3)
    light = textures.film_grain(flat(0.9), strength(0.05), FEW)
    torch.testing.assert_close(light.std((2, 3)), torch.full((6, 1), 0.36 * 0.05), rtol=1e-3, atol=0)


def test_some_grain_is_fine_and_some_coarse() -> None:
    noise = textures.film_grain(flat(0.5, 60), strength(0.05, 60), sample_keys(0, range(60)))[:, 0] - 0.5
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean((1, 2)) / noise.square().mean((1, 2))
    assert neighbours.min() < 0.05
    assert neighbours.max() > 0.4


@pytest.mark.parametrize("value", [0.2, 0.35, 0.5, 0.8])
def test_halftone_is_as_light_as_what_it_prints(value: float) -> None:
    dots = textures.halftoned(flat(value, 20), strength(1, 20), sample_keys(0, range(20)))
    torch.testing.assert_close(dots.mean((1, 2, 3)), torch.full((20,), value), rtol=0, atol=0.02)
    assert dots.std((1, 2, 3)).min() > 0.2


@pytest.mark.parametrize(("quality", "coarseness"), [(20, 2.5), (50, 1.0), (70, 0.6)])
def test_blocks_are_those_of_a_jpeg_file(quality: int, coarseness: float) -> None:
    before = (greys(1) * 255).round() / 255
    file = io.BytesIO()
    pixels = (before[0, 0] * 255).byte().numpy()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        theirs = torch.from_numpy(np.array(image)).float()
    ours = textures.blocky(before, strength(coarseness, 1), FEW[:1])[0, 0] * 255
    error = (theirs - before[0, 0] * 255).abs().mean()
    assert (ours - theirs).abs().mean() < 0.3 * error


def test_even_block_stays_even_and_moves_by_half_a_step_at_most() -> None:
    # its one coefficient is 8 times its distance from 128, and is rounded to steps of 16
    values = torch.tensor([128.0, 130, 133, 100]).view(4, 1, 1, 1)
    after = 255 * textures.blocky((values / 255).expand(-1, -1, 16, 16), strength(1, 4), FEW[:4])
    assert after[:2].unique().tolist() == pytest.approx([128, 130], abs=1e-3)
    assert (after - values).abs().max() <= 1 + 1e-3
    assert after.flatten(1).std(1).max() < 1e-3


# Damage


def test_dust_is_specks_of_one_tone_and_more_of_it_is_more_of_them() -> None:
    key = sample_keys(0, range(100))
    few, many = (damage.dusty(flat(0.5, 100), strength(share, 100), key) - 0.5 for share in (0.1, 0.8))
    covered = [(each.abs() > 0.05).float().mean() for each in (few, many)]
    assert 0.001 < covered[0] < covered[1] / 4
    assert covered[1] < 0.15
    light, dark = ((sign * many > 0.05).flatten(1).any(1) for sign in (1, -1))
    assert not (light & dark).any()
    assert light.float().mean() == pytest.approx(0.75, abs=0.15)


def test_scratches_are_thin_and_leave_nearly_all_of_the_photo_alone() -> None:
    after = damage.scratched(flat(0.5, 100), strength(0.9, 100), sample_keys(0, range(100)))
    covered = ((after - 0.5).abs() > 1e-3).flatten(1).float().mean(1)
    assert (covered > 0).float().mean() > 0.95
    assert covered.max() < 0.15


def test_crease_goes_through_the_whole_photo_with_a_shade_of_opposite_tones_on_its_sides() -> None:
    after = damage.creased(flat(0.5, 20), strength(0.9, 20), sample_keys(0, range(20)))[:, 0]
    for one in after:
        crack = one > 0.6
        assert crack.any(0).sum() + crack.any(1).sum() > SIDE  # wide or high, or both
        assert one.min() < 0.42


@pytest.mark.parametrize("width", [0.05, 0.125])
def test_frame_lies_along_whole_sides_and_the_photo_within_is_as_it_was(width: float) -> None:
    count, key = 300, sample_keys(0, range(300))
    shown = damage.picture(greys(1), strength(width, count), key)[:, 0]
    rows, columns = shown.any(2), shown.any(1)
    assert torch.equal(shown, rows[:, :, None] & columns[:, None])
    assert shown[:, SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4].all()
    sides = ~torch.stack([rows[:, 0], rows[:, -1], columns[:, 0], columns[:, -1]])
    assert sides.all(0).float().mean() == pytest.approx(0.5 + 0.5 / 16, abs=0.12)
    assert (rows[:, : SIDE // 2].sum(1) >= SIDE // 2 - round(width * SIDE)).all()
    before = greys(1).expand(count, -1, -1, -1)
    framed = damage.framed(before, strength(width, count), key)[:, 0]
    assert torch.equal(framed[shown], before[:, 0][shown])
    for one, within in zip(framed, shown, strict=True):
        assert len(one[~within].unique()) <= 1


# In the recipes


@pytest.mark.parametrize("name", ["colorizer", pytest.param("colorizer-gan", marks=pytest.mark.slow)])
def test_colorizers_train_on_aged_greys_unless_told_otherwise(name: str) -> None:
    batch = {"image": scenes(16), "key": sample_keys(6, range(16))}
    for augment, expected in (("aged", aged_split), ("photo", split)):
        settings = [f"augment={augment}"] if augment != "aged" else []
        recipe = tiny_recipe(name, *settings)
        entered = []
        recipe.generator.unet.register_forward_pre_hook(lambda _, inputs, entered=entered: entered.append(inputs[0]))
        recipe.step(batch, lambda *_: None)
        assert torch.equal(entered[0], expected(batch["image"], batch["key"])[0])
        assert all(map(torch.equal, recipe.seen(batch), expected(batch["image"], batch["key"])))


def test_preview_shows_clean_greys() -> None:
    recipe = tiny_recipe("colorizer").eval()
    batch = {"image": scenes(4), "key": sample_keys(6, range(4))}
    with torch.no_grad():
        grey = recipe.preview(batch)[:, 0]
    assert torch.equal(grey, tiny_recipe("colorizer", "augment=photo").eval().preview(batch)[:, 0])


def test_uniform_numbers_of_each_kind_are_its_own() -> None:
    drawn = [uniform(FEW, (), name) for name in KINDS]
    assert torch.stack(drawn).unique().numel() == len(FEW) * len(KINDS)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_gpu_ages_as_the_cpu_does_and_is_never_waited_for() -> None:
    image, key = nn.functional.interpolate(scenes(16), 128), sample_keys(0, range(16))
    on_cpu = aged_split(image, key)
    image, key = image.cuda(), key.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        on_gpu = aged_split(image, key)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for cpu, gpu in zip(on_cpu, on_gpu, strict=True):
        assert (gpu.cpu() - cpu).abs().mean() < 1e-3  # a coefficient of a JPEG may be rounded the other way
