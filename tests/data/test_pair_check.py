"""`img2img data check` on pairs: what lacks a side, what does not fit, what is shifted, and what is there twice."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from test_data_check import RUNNER, check, listed
from tiny_pairs import beside, folder_of, saved, scene

from img2img.cli.app import app
from img2img.data.check.pair_listing import ListedPair, list_pairs, list_side_by_side
from img2img.data.check.pair_look import look_at_pair, look_at_pairs
from img2img.data.check.shift import shift_between
from img2img.data.listing import list_images
from img2img.data.pairs.open_pairs import open_pairs


def rooms(seed: int, width: int = 128, height: int = 112) -> np.ndarray:
    """(H, W, 3): thirty boxes of different colours, whose outlines are nowhere like those of another seed."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128, np.uint8)
    for _ in range(30):
        top, left = rng.integers(0, (height - 10, width - 10))
        bottom, right = top + rng.integers(8, 40), left + rng.integers(8, 40)
        picture[top:bottom, left:right] = rng.integers(0, 256, 3)
    return picture


def softened(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(255 - pixels // 2).filter(ImageFilter.GaussianBlur(1)))


def findings(*words: object) -> dict[str, dict[str, str]]:
    """By kind, the note of each file by the end of its path."""
    found = json.loads(check(*words, "--json").stdout)["findings"]
    return {kind: {each["name"]: each["note"] for each in of_kind} for kind, of_kind in found.items() if of_kind}


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "a", {f"{n % 2}/{n}.png": rooms(n) for n in range(6)})


@pytest.fixture
def b(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "b", {f"{n % 2}/{n}.png": softened(rooms(n)) for n in range(6)})


@pytest.fixture
def ab(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "ab", {f"{n % 2}/{n}.png": beside(rooms(n), softened(rooms(n))) for n in range(6)})


def test_good_pairs_are_counted_and_pass(a: Path, b: Path, ab: Path) -> None:
    result = check("--a", a, "--b", b)
    assert result.exit_code == 0, result.output
    for words in ("6 pairs, 12 images", "smallest 128 x 112, median 128 x 112", "0: 6", "nothing to remark"):
        assert words in result.stdout
    result = check("--ab", ab)
    assert result.exit_code == 0, result.output
    for words in ("6 pairs, 6 images", "smallest 128 x 112", "0: 3", "nothing to remark"):
        assert words in result.stdout
    report = json.loads(check("--ab", ab, "--json").stdout)
    assert report["pairs"] == 6
    assert report["bytes"] == sum(path.stat().st_size for path in ab.rglob("*.png"))


def test_grey_sides_are_no_finding(a: Path, tmp_path: Path) -> None:
    outlines = {f"{n % 2}/{n}.png": rooms(n)[..., 1] for n in range(6)}
    assert findings("--a", a, "--b", folder_of(tmp_path / "outlines", outlines)) == {}


def test_image_without_its_other_side_is_named_and_stops(a: Path, b: Path) -> None:
    (a / "0" / "2.png").unlink()
    saved(b / "new.png", rooms(9))
    saved(a / "1" / "3.bmp", rooms(8))
    result = check("--a", a, "--b", b)
    assert result.exit_code == 1
    assert "3 images without their other side" in result.stdout
    assert findings("--a", a, "--b", b) == {
        "alone": {
            f"{a}/1/3.png": f"of one name with {a}/1/3.bmp",
            f"{b}/0/2.png": "no a of this name",
            f"{b}/new.png": "no a of this name",
        }
    }
    (a / "1" / "3.bmp").unlink()
    (b / "0" / "2.png").unlink()
    assert listed("alone", "--a", a, "--b", b) == [f"{b}/new.png"]


def test_shapes_that_differ_stop_and_sizes_are_a_remark(a: Path, b: Path) -> None:
    saved(b / "0" / "0.png", softened(rooms(0, 64, 56)))
    result = check("--a", a, "--b", b)
    assert result.exit_code == 0
    assert "1 pair of two sizes" in result.stdout
    assert findings("--a", a, "--b", b)["sizes"] == {f"{a}/0/0.png": "128 x 112 and 64 x 56"}
    saved(b / "0" / "0.png", softened(rooms(0, 112, 128)))
    result = check("--a", a, "--b", b)
    assert result.exit_code == 1
    assert "1 pair that does not fit" in result.stdout
    assert findings("--a", a, "--b", b)["misfits"] == {f"{a}/0/0.png": "128 x 112 and 112 x 128 pixels"}


def test_odd_width_stops(ab: Path) -> None:
    saved(ab / "0" / "0.png", rooms(0, 255))
    assert check("--ab", ab).exit_code == 1
    assert findings("--ab", ab) == {
        "misfits": {f"{ab}/0/0.png": "255 pixels wide, which has no two equal halves"},
    }


def test_unreadable_side_stops_and_is_named_once(a: Path, b: Path, ab: Path) -> None:
    (b / "0" / "0.png").write_bytes(b"")
    (ab / "0" / "0.png").write_bytes(b"")
    for words, name in ((("--a", a, "--b", b), b), (("--ab", ab), ab)):
        assert check(*words).exit_code == 1
        assert findings(*words) == {"unreadable": {f"{name}/0/0.png": "empty"}}


def test_tiny_and_other_files_are_found_as_ever(ab: Path) -> None:
    (ab / "notes.txt").touch()
    assert findings("--ab", ab, "--min-size", 113)["tiny"].keys() == {f"{ab}/{n % 2}/{n}.png" for n in range(6)}
    assert findings("--ab", ab) == {"others": {f"{ab}/notes.txt": ".txt"}}


# Shifted


def cut(pixels: np.ndarray, right: int, down: int, width: int, height: int) -> np.ndarray:
    return pixels[down : down + height, right : right + width]


@pytest.mark.parametrize(("right", "down"), [(8, 0), (-8, 0), (0, 8), (-8, -8), (8, -5)])
def test_shift_of_eight_pixels_is_found(right: int, down: int) -> None:
    whole = rooms(1, 148, 132)
    one, other = cut(whole, 10, 10, 128, 112), cut(softened(whole), 10 - right, 10 - down, 128, 112)
    assert shift_between(one, other) == (right, down)


def test_shift_of_a_large_picture_is_told_in_its_own_pixels() -> None:
    whole = np.asarray(Image.fromarray(rooms(2, 148, 132)).resize((592, 528), Image.Resampling.NEAREST))
    one, other = cut(whole, 40, 40, 512, 448), cut(whole, 8, 40, 512, 448)
    assert shift_between(one, other) == (32, 0)
    smaller = np.asarray(Image.fromarray(other).resize((256, 224), Image.Resampling.BOX))
    assert shift_between(one, smaller) == (32, 0)


def test_small_shift_is_let_pass_and_no_shift_is_none() -> None:
    whole = rooms(3, 148, 132)
    one = cut(whole, 10, 10, 128, 112)
    assert shift_between(one, one) is None
    assert shift_between(one, cut(whole, 12, 12, 128, 112)) is None, "2 of 128 and of 112 pixels are below 2%"
    assert shift_between(one, cut(whole, 13, 10, 128, 112)) == (-3, 0)


def test_pictures_of_two_things_and_flat_ones_are_not_shifted() -> None:
    for seed in range(20):
        assert shift_between(rooms(seed), rooms(seed + 100)) is None
    flat = np.full((112, 128, 3), 7, np.uint8)
    assert shift_between(flat, flat) is None
    assert shift_between(rooms(0), flat) is None
    assert shift_between(flat[:3, :3], flat[:3, :3]) is None


def test_shifted_pair_is_reported_and_stops_nothing(ab: Path) -> None:
    whole = rooms(40, 148, 132)
    left, right = cut(whole, 10, 10, 128, 112), cut(softened(whole), 2, 15, 128, 112)
    saved(ab / "shifted.png", beside(left, right))
    result = check("--ab", ab)
    assert result.exit_code == 0
    assert "1 pair that seems shifted" in result.stdout
    assert findings("--ab", ab) == {
        "shifted": {f"{ab}/shifted.png": "what is in a lies 8 px right and 5 px up in b"},
    }


# Twice


def test_same_picture_in_two_pairs_is_found_on_either_side(a: Path, b: Path) -> None:
    saved(b / "1" / "5.png", softened(rooms(4)))
    saved(a / "1" / "3.png", softened(rooms(0)))
    assert findings("--a", a, "--b", b)["repeated"] == {
        f"{b}/1/5.png": f"the same as in {b}/0/4.png",
        f"{a}/1/3.png": f"the same as in {b}/0/0.png",
    }
    assert "2 images that are in two pairs" in check("--a", a, "--b", b).stdout


def test_sides_of_one_pair_may_be_the_same(a: Path) -> None:
    assert findings("--a", a, "--b", a) == {}


def test_masks_of_one_colour_are_no_repetition(a: Path, tmp_path: Path) -> None:
    masks = {f"{n % 2}/{n}.png": np.zeros((112, 128, 3), np.uint8) for n in range(6)}
    assert findings("--a", a, "--b", folder_of(tmp_path / "masks", masks)) == {}


def test_pair_is_like_another_where_both_sides_are(a: Path, b: Path) -> None:
    def noisy(pixels: np.ndarray) -> np.ndarray:
        return pixels ^ (np.random.default_rng(0).random(pixels.shape) < 0.5).astype(np.uint8)

    saved(a / "1" / "5.png", noisy(rooms(2)))
    assert "repeated" not in findings("--a", a, "--b", b)
    saved(b / "1" / "5.png", noisy(softened(rooms(2))))
    assert findings("--a", a, "--b", b)["repeated"] == {
        f"{a}/1/5.png": f"like {a}/0/2.png, and so is the other side",
    }


def test_repetition_across_the_parts_of_a_set_says_so(tmp_path: Path) -> None:
    for part, seeds in (("train", (0, 1)), ("test", (1, 2))):
        for seed in seeds:
            saved(tmp_path / part / f"{part}{seed}.png", beside(rooms(seed), softened(rooms(seed))))
    assert findings("--ab", tmp_path)["repeated"] == {
        f"{tmp_path}/train/train1.png": f"the same as in {tmp_path}/test/test1.png; one is in test, one in train",
    }


# What is given


@pytest.mark.parametrize("words", [(), ("x", "--ab", "y"), ("--a", "x"), ("--a", "x", "--b", "y", "--ab", "z")])
def test_one_way_of_naming_the_data_is_taken(words: tuple[str, ...]) -> None:
    result = RUNNER.invoke(app, ["data", "check", *words])
    assert result.exit_code == 2
    assert "pairs, as --a and --b, or as --ab" in result.stderr


def test_more_of_one_side_is_refused(a: Path, b: Path) -> None:
    result = check("--a", a, "--b", b, "--b", b)
    assert result.exit_code == 2
    assert "--a given once and --b 2 times" in result.stderr


def test_tars_are_as_folders(a: Path, b: Path, ab: Path) -> None:
    def packed(folder: Path) -> Path:
        with tarfile.open(folder.with_suffix(".tar"), "w") as shard:
            shard.add(folder, "")
        return folder.with_suffix(".tar")

    (b / "0" / "0.png").unlink()
    saved(ab / "odd.png", rooms(0, 255))
    tar_a, tar_b, tar_ab = map(packed, (a, b, ab))
    assert (
        listed("alone", "--a", tar_a, "--b", b) == listed("alone", "--a", tar_a, "--b", tar_b) == [f"{tar_a}:0/0.png"]
    )
    assert listed("misfits", "--ab", tar_ab) == [f"{tar_ab}:odd.png"]


def test_same_pairs_are_checked_and_trained_on(a: Path, b: Path, ab: Path) -> None:
    def both(pairs: list[ListedPair]) -> list[tuple[str, str]]:
        return [(pair.a.name, pair.b.name) for pair in pairs]

    listings: Any = ((list_pairs([a], [b]), {"a": [a], "b": [b]}), (list_side_by_side([ab]), {"ab": [ab]}))
    for listing, domains in listings:
        sides = open_pairs(domains)
        trained = [(sides["a"].name(index), sides["b"].name(index)) for index in range(6)]
        assert both(listing.pairs) == trained


def test_looks_come_in_order_whatever_the_jobs(ab: Path) -> None:
    pairs = list_side_by_side([ab]).pairs
    assert [look.a.image for look in look_at_pairs(pairs, 3)] == list_images([ab]).images


def test_scene_of_soft_colours_has_a_look_without_remarks(tmp_path: Path) -> None:
    (pair,) = list_side_by_side([folder_of(tmp_path, {"1.png": beside(scene(0), 255 - scene(0))})]).pairs
    look = look_at_pair(pair)
    assert (look.misfit, look.sizes, look.shift) == ("", "", "")
    assert look.a.content
    assert look.a.content.size == (56, 48)
