"""Pairs: which picture belongs to which, what cannot be a pair, and that both sides of a sample are seen alike."""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_pairs import beside, folder_of, saved, scene
from tiny_sets import assert_equal_batches

from img2img.data.batches import shown_batch, training_batches
from img2img.data.data_choice import ChosenData, chosen_data
from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.data.loading import to_tensor
from img2img.data.pairs.matching import halves, matched, misfit
from img2img.data.pairs.open_pairs import open_pairs
from img2img.data.pairs.pair_choice import chosen_pairs
from img2img.data.training_data import open_data
from img2img.errors import DataError, SettingError, UsageError

CPU = torch.device("cpu")
AUGMENTATIONS = ("none", "flip", "crop", "photo")


def chosen(*data: str | Path, direction: Any = None, announce: bool = False, **by_domain: Any) -> ChosenData:
    return chosen_pairs("pix2pix", data, by_domain, direction=direction, announce=announce)


def negative(pixels: np.ndarray) -> np.ndarray:
    return 255 - pixels


def names(source: ImageSource) -> list[str]:
    return [source.name(index) for index in range(len(source))]


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, list[Path]]:
    """Twelve pictures lying and upright, and their negatives, as "a" and "b"."""
    pictures = {f"{n % 2}/{n:02}.png": scene(n, *((56, 48), (40, 64))[n % 2]) for n in range(12)}
    a = folder_of(tmp_path / "a", pictures)
    b = folder_of(tmp_path / "b", {name: negative(pixels) for name, pixels in pictures.items()})
    return {"a": [a], "b": [b]}


@pytest.fixture
def side_by_side(tmp_path: Path) -> Path:
    """The same pairs in twelve files, the negatives on the right."""
    return folder_of(
        tmp_path / "ab",
        {
            f"{n % 2}/{n:02}.png": beside(one := scene(n, *((56, 48), (40, 64))[n % 2]), negative(one))
            for n in range(12)
        },
    )


def packed(folder: Path) -> Path:
    tar = folder.with_suffix(".tar")
    with tarfile.open(tar, "w") as shard:
        shard.add(folder, ".")
    return tar


# Which belongs to which


def test_pictures_match_by_path_without_suffix_in_the_order_of_their_names() -> None:
    matching = matched(["y/1.jpg", "x/2.png", "x/1.png", "1.png"], ["x/1.webp", "1.jpeg", "y/1.png", "x/2.png"])
    assert matching.pairs == [(3, 1), (2, 0), (1, 3), (0, 2)]
    assert [matching.only_a, matching.only_b, matching.repeated_a, matching.repeated_b] == [[], [], [], []]


def test_what_has_no_other_side_or_one_name_with_another_is_told_apart() -> None:
    matching = matched(["1.png", "2.png", "2.jpg", "3.png"], ["3.png", "2.png", "4.png"])
    assert matching.pairs == [(1, 1), (3, 0)]
    assert (matching.only_a, matching.only_b) == ([0], [2])
    assert (matching.repeated_a, matching.repeated_b) == ([(2, 1)], [])


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        (["1_A.jpg", "2_A.jpg"], ["1_B.jpg", "2_B.jpg"], [(0, 0), (1, 1)]),
        (["1_B.jpg"], ["1_A.jpg"], [(0, 0)]),
        (["1_A.jpg", "2.jpg"], ["1_B.jpg", "2.jpg"], [(1, 1)]),
        (["1_A.jpg", "1_B.jpg"], ["1_A.png", "1_B.png"], [(0, 0), (1, 1)]),
    ],
)
def test_marks_count_only_where_all_names_have_them(a: list[str], b: list[str], pairs: list[tuple[int, int]]) -> None:
    assert matched(a, b).pairs == pairs


def test_composed_and_decomposed_letters_are_one() -> None:
    assert matched(["caf\u00e9.png"], ["cafe\u0301.png"]).pairs == [(0, 0)]


def test_missing_and_extra_pictures_are_counted_and_named(tmp_path: Path) -> None:
    tiny = np.zeros((4, 4, 3), np.uint8)
    a = folder_of(tmp_path / "a", {f"{n}.png": tiny for n in range(6)} | {"5.bmp": tiny})
    b = folder_of(tmp_path / "b", {"0.png": tiny, "x.png": tiny, "1.png": tiny})
    with pytest.raises(DataError) as caught:
        open_pairs({"a": [a], "b": [b]})
    assert str(caught.value) == (
        f"{a} and {b}: 4 of a without b: {a}/2.png, {a}/3.png, {a}/4.png and 1 more; 1 of b without a: {b}/x.png; "
        f"of one name in a: {a}/5.bmp, {a}/5.png; pairs have one name, but for its suffix"
    )


def test_tars_and_folders_of_the_same_pictures_are_the_same_pairs(
    sides: dict[str, list[Path]], side_by_side: Path
) -> None:
    a, b = sides["a"][0], sides["b"][0]
    expected = open_pairs(sides)
    for domains in (
        {"a": [packed(a)], "b": [b]},
        {"a": [a], "b": [packed(b)]},
        {"ab": [side_by_side]},
        {"ab": [packed(side_by_side)]},
    ):
        pairs = open_pairs(domains)
        for side, source in pairs.items():
            assert len(source) == 12
            for index in range(12):
                assert source.inside(index) == expected[side].inside(index)
                assert (source.rgb(index) == expected[side].rgb(index)).all()


def test_half_of_a_picture_is_encoded_alone(side_by_side: Path) -> None:
    b = open_pairs({"ab": [side_by_side]})["b"]
    with Image.open(saved(side_by_side.parent / "half.png", b.rgb(3))) as half:
        assert (np.asarray(half) == b.rgb(3)).all()
    (side_by_side.parent / "encoded.png").write_bytes(b.encoded(3))
    with Image.open(side_by_side.parent / "encoded.png") as encoded:
        assert (np.asarray(encoded) == b.rgb(3)).all()


def test_side_of_a_matched_pair_is_its_file(sides: dict[str, list[Path]]) -> None:
    pairs = open_pairs(sides)
    assert pairs["b"].name(0) == str(sides["b"][0] / "0/00.png")
    assert pairs["b"].encoded(0) == (sides["b"][0] / "0/00.png").read_bytes()


def test_shards_of_a_pattern_are_one_set(sides: dict[str, list[Path]], tmp_path: Path) -> None:
    for number in (0, 1):
        with tarfile.open(tmp_path / f"a-{number}.tar", "w") as shard:
            shard.add(sides["a"][0] / str(number), str(number))
    pairs = open_pairs({"a": [str(tmp_path / "a-*.tar")], "b": sides["b"]})
    assert len(pairs["a"]) == 12
    assert (pairs["a"].rgb(11) == negative(pairs["b"].rgb(11))).all()


def test_items_go_together_in_their_order_and_have_one_weight(sides: dict[str, list[Path]]) -> None:
    (a,), (b,) = sides.values()
    pairs = open_pairs({"a": [a / "0", f"{a / '1'}=3"], "b": [b / "0", b / "1"]})
    assert [(one.images, one.weight) for one in pairs["a"].sets] == [(6, 1), (6, 3)]
    assert pairs["a"].sets == pairs["b"].sets
    assert (pairs["a"].rgb(7) == negative(pairs["b"].rgb(7))).all()
    assert open_pairs({"a": [f"{a}=2"], "b": [f"{b}=2"]})["a"].sets == ()
    with pytest.raises(UsageError, match=r"a=2 and .*b=3: pairs have one weight"):
        open_pairs({"a": [f"{a}=2"], "b": [f"{b}=3"]})
    with pytest.raises(UsageError, match="--a given once and --b 2 times: the pictures of each --a go with those"):
        open_pairs({"a": [a], "b": [b / "0", b / "1"]})
    with pytest.raises(SettingError, match="the weight must be a positive number"):
        open_pairs({"a": [f"{a}=0"], "b": [b]})


# What is a pair


def test_left_half_is_a(side_by_side: Path) -> None:
    left, right = halves(np.arange(12, dtype=np.uint8).reshape(1, 4, 3))
    assert (left[0, 0, 0], right[0, 0, 0]) == (0, 6)
    ab, ba = open_pairs({"ab": [side_by_side]}), open_pairs({"ba": [side_by_side]})
    assert (ab["a"].rgb(0) == scene(0)).all()
    assert (ba["a"].rgb(0) == negative(scene(0))).all()
    assert (ba["b"].rgb(0) == scene(0)).all()


def test_odd_width_is_refused_with_its_file(tmp_path: Path) -> None:
    saved(tmp_path / "1.png", np.zeros((8, 15, 3), np.uint8))
    with pytest.raises(DataError, match=r"1.png: 15 pixels wide, which has no two equal halves; .* mend it, or remove"):
        open_pairs({"ab": [tmp_path]})["a"].rgb(0)


@pytest.mark.parametrize(
    ("a", "b", "fit"),
    [
        ((400, 300), (200, 150), True),
        ((400, 300), (400, 303), True),  # 400 * 303 / (300 * 400) = 1.01: 1% apart by the larger
        ((400, 300), (400, 304), False),
        ((400, 300), (300, 400), False),
        ((500, 333), (1000, 667), True),
    ],
)
def test_shapes_may_differ_by_a_hundredth(a: tuple[int, int], b: tuple[int, int], fit: bool) -> None:
    assert bool(misfit(a, b)) != fit
    assert bool(misfit(b, a)) != fit


def test_smaller_side_is_enlarged_and_nothing_is_lost(tmp_path: Path) -> None:
    large, small = scene(0, 120, 90), np.full((30, 40, 3), 77, np.uint8)
    domains = {"a": [folder_of(tmp_path / "a", {"1.png": small})], "b": [folder_of(tmp_path / "b", {"1.png": large})]}
    pairs = open_pairs(domains)
    assert (pairs["b"].rgb(0) == large).all()
    assert (pairs["a"].rgb(0) == np.full((90, 120, 3), 77)).all()


def test_sides_of_two_shapes_are_refused_with_both_files(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", {"1.png": scene(0, 40, 30)})
    b = folder_of(tmp_path / "b", {"1.png": scene(0, 30, 40)})
    with pytest.raises(DataError, match=r"a/1.png and .*b/1.png: 40 x 30 and 30 x 40 pixels, which are no two sides"):
        open_pairs({"a": [a], "b": [b]})["b"].rgb(0)


def test_grey_and_deep_pictures_are_as_anywhere_else(tmp_path: Path) -> None:
    grey = scene(0)[..., 0]
    a = folder_of(tmp_path / "a", {"1.png": grey})
    b = folder_of(tmp_path / "b", {"1.tif": grey.astype(np.uint16) * 257})
    pairs = open_pairs({"a": [a], "b": [b]})
    for source in pairs.values():
        assert (source.rgb(0) == np.repeat(grey[..., None], 3, 2)).all()
    deep = open_pairs({"ab": [folder_of(tmp_path / "ab", {"1.png": beside(grey, grey).astype(np.uint16) * 257})]})
    assert (deep["b"].rgb(0) == pairs["a"].rgb(0)).all()


def test_pair_is_decoded_once_for_both_sides(side_by_side: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, read = open_pairs({"ab": [side_by_side]}), list[Path]()
    content = Path.open

    def counted(path: Path, mode: str) -> Any:
        read.append(path)
        return content(path, mode)

    monkeypatch.setattr(Path, "open", counted)
    for index in (4, 2):
        a, b = pairs["a"].rgb(index), pairs["b"].rgb(index)
        assert (a == negative(b)).all()
    assert len(read) == 2
    assert (pairs["a"].rgb(2) == a).all()
    assert len(read) == 3, "nothing is kept that was taken"
    list(training_batches(pairs, **(SETTINGS | {"cache": "memory"})))
    assert len(read) == 3 + 12


# What is named


@pytest.mark.parametrize(
    ("data", "named", "expected"),
    [
        ((), {"ab": ["x", "y=2"]}, {"ab": ["x", "y=2"]}),
        ((), {"a": ["x"], "b": ["y"]}, {"a": ["x"], "b": ["y"]}),
        (("x", "y"), {}, {"a": ["x"], "b": ["y"]}),
    ],
)
def test_direction_swaps_the_sides(data: Any, named: Any, expected: dict[str, list[str]]) -> None:
    assert chosen(*data, **named).domains == chosen(*data, direction="a2b", **named).domains == expected
    swapped = {"ba": expected["ab"]} if "ab" in expected else {"a": expected["b"], "b": expected["a"]}
    back = chosen(*data, direction="b2a", **named)
    assert list(back.domains.items()) == list(swapped.items())
    assert back.named == chosen(*data, **named).named


def test_folder_of_both_sets_is_pairs(tmp_path: Path) -> None:
    for name in ("trainA/1_A.png", "trainB/1_B.png"):
        saved(tmp_path / name, scene(0))
    data = open_data(chosen(tmp_path).domains, paired=True)
    assert names(data.train["b"]) == [str(tmp_path / "trainB" / "1_B.png")]


@pytest.mark.parametrize(
    ("data", "named", "message"),
    [
        (("x",), {"ab": ["y"]}, "--ab and --data: pix2pix takes pictures side by side, or both sides apart"),
        ((), {"ab": ["y"], "b": ["x"]}, "--ab and --b: pix2pix takes"),
        ((), {"a": ["x"]}, "--a without --b: pix2pix learns from images of both"),
        (("x",), {"a": ["x"], "b": ["y"]}, "--data and --a or --b"),
    ],
)
def test_words_that_contradict_each_other_are_refused(data: Any, named: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen(*data, **named)


def test_single_set_is_told_of_all_ways(side_by_side: Path) -> None:
    with pytest.raises(
        DataError, match=r"a single set of images, and pix2pix learns from two: .* or --ab FOLDER_OR_TAR of pictures"
    ):
        chosen(side_by_side)


@pytest.mark.parametrize(("recipe", "domains"), [("cyclegan", ("a", "b")), ("gan", ("image",))])
def test_recipe_that_takes_no_pairs_refuses_them(recipe: str, domains: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=f"--ab: {recipe} learns from "):
        chosen_data(recipe, domains, (), {"ab": ["x"]}, announce=False)


def test_published_set_is_trained_on_its_train_folder(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    for part in ("train", "val", "test"):
        saved(tmp_path / "facades" / part / f"{part}.png", scene(0))
    for word, expected in (
        (tmp_path / "facades", f"{tmp_path}/facades/train"),
        (f"{tmp_path}/facades=2", f"{tmp_path}/facades/train=2"),
        (tmp_path / "facades" / "val", tmp_path / "facades" / "val"),
    ):
        assert chosen(ab=[word], announce=True).domains == {"ab": [expected]}
        assert chosen(a=[word], b=[word]).domains == {"a": [expected], "b": [expected]}
    assert log.messages[0] == f"data: {tmp_path}/facades/train; what lies beside it is not trained on"
    assert len(log.messages) == 2
    assert chosen(ab=[tmp_path / "facades"]).named == [tmp_path / "facades"]


def test_folder_that_has_train_alone_is_taken_whole(tmp_path: Path) -> None:
    saved(tmp_path / "photos" / "train" / "engine.png", scene(0))
    assert chosen(ab=[tmp_path / "photos"]).domains == {"ab": [tmp_path / "photos"]}


# What is held out


def test_the_same_pairs_are_held_out_of_both_sides(sides: dict[str, list[Path]]) -> None:
    data = open_data(sides, held_out=100, paired=True)
    (a,), (b,) = sides.values()
    assert (names(data.held_out["a"]), names(data.held_out["b"])) == ([f"{a}/1/11.png"], [f"{b}/1/11.png"])
    for part in (data.train, data.held_out):
        for index in range(len(part["a"])):
            assert (part["a"].rgb(index) == negative(part["b"].rgb(index))).all()
    assert (data.epoch, data.images, data.classes) == (11, 24, ())
    assert not open_data(sides, paired=True).held_out


# Batches

SETTINGS: dict[str, Any] = {
    **{"image_size": 32, "batch_size": 4, "augment": "none", "first": 0, "stop": 24, "seed": 3, "device": CPU},
    "paired": True,
}


def batches(sources: Mapping[str, ImageSource], **changes: Any) -> list[dict[str, torch.Tensor]]:
    return list(training_batches(sources, **(SETTINGS | changes)))


@pytest.mark.parametrize("cache", ["memory", "none"])
@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_copy_stays_a_copy(sides: dict[str, list[Path]], augment: str, cache: str) -> None:
    pairs = open_pairs({"a": sides["a"], "b": sides["a"]})
    for batch in batches(pairs, augment=augment, cache=cache):
        assert batch.keys() == {"a", "b", "key"}
        assert batch["a"].shape == (4, 3, 32, 32)
        assert batch["a"].dtype == torch.float32
        assert torch.equal(batch["a"], batch["b"])


@pytest.mark.parametrize("cache", ["memory", "none"])
@pytest.mark.parametrize("augment", ["none", "flip", "crop"])
def test_negative_stays_the_negative(sides: dict[str, list[Path]], augment: str, cache: str) -> None:
    """Each is resized by itself, so it may be rounded by a level apart."""
    for batch in batches(open_pairs(sides), augment=augment, cache=cache):
        assert (batch["a"] + batch["b"]).abs().max() <= 1.01 / 127.5


def test_crops_and_flips_are_drawn_from_the_samples_key(sides: dict[str, list[Path]]) -> None:
    """One of two mirrored halves is seen in about half of the samples, and both sides are mirrored together."""
    (only,) = {sides["a"][0] / "0"}
    source = open_pairs({"a": [only], "b": [only]})
    squares = torch.stack([to_tensor(centre_square(source["a"].rgb(n), 32)) for n in range(len(source["a"]))])
    mirrored = 0
    for batch in batches(source, augment="flip", stop=96):
        for a, b in zip(batch["a"], batch["b"], strict=True):
            straight = (squares == a).flatten(1).all(1)
            turned = (squares == a.flip(2)).flatten(1).all(1)
            assert straight.any() != turned.any()
            assert torch.equal(a, b)
            mirrored += int(turned.any())
    assert 30 < mirrored < 66


def test_two_sides_of_two_sizes_are_cropped_at_the_same_place(tmp_path: Path) -> None:
    """A slope of brightness says where a crop lies: at half the size it is the same slope."""
    slope = np.repeat(np.linspace(0, 255, 256)[None, :], 192, 0)
    large = np.repeat(slope[..., None], 3, 2).round().astype(np.uint8)
    small = np.asarray(Image.fromarray(large).resize((128, 96), Image.Resampling.BOX))
    a, b = folder_of(tmp_path / "a", {"1.png": large}), folder_of(tmp_path / "b", {"1.png": small})
    for augment in ("crop", "none"):
        for batch in batches(open_pairs({"a": [a], "b": [b]}), augment=augment, batch_size=8):
            assert (batch["a"] - batch["b"]).abs().max() < 4 / 127.5


@pytest.mark.parametrize("augment", ["none", "flip", "crop"])
def test_caching_changes_nothing(sides: dict[str, list[Path]], augment: str) -> None:
    pairs = open_pairs(sides)
    assert_equal_batches(*(batches(pairs, augment=augment, cache=cache) for cache in ("memory", "none")))


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_resumed_run_sees_the_same_samples(side_by_side: Path, cache: str) -> None:
    pairs = open_pairs({"ab": [side_by_side]})
    whole = batches(pairs, augment="crop", cache=cache)
    assert_equal_batches(whole[2:], batches(pairs, augment="crop", cache=cache, first=8))


def test_two_ranks_see_what_one_process_sees(sides: dict[str, list[Path]]) -> None:
    pairs = open_pairs(sides)
    halves_of = [batches(pairs, augment="crop", rank=rank, world=2) for rank in (0, 1)]
    joined = [{name: torch.cat([one[name], two[name]]) for name in one} for one, two in zip(*halves_of, strict=True)]
    assert_equal_batches(joined, batches(pairs, augment="crop"))


@pytest.mark.slow
def test_loader_workers_change_nothing(sides: dict[str, list[Path]], side_by_side: Path) -> None:
    for domains in (sides, {"ba": [side_by_side]}):
        pairs = open_pairs(domains)
        assert_equal_batches(*(batches(pairs, augment="crop", cache="none", workers=count) for count in (0, 2)))


def test_every_pair_is_seen_once_an_epoch(sides: dict[str, list[Path]]) -> None:
    images = torch.cat([batch["b"] for batch in batches(open_pairs(sides))])
    assert [len({picture.numpy().tobytes() for picture in epoch}) for epoch in (images[:12], images[12:])] == [12, 12]


def test_weights_share_out_pairs(sides: dict[str, list[Path]]) -> None:
    (a,), (b,) = sides.values()
    pairs = open_pairs({"a": [a / "0", f"{a / '1'}=3"], "b": [b / "0", b / "1"]})
    for batch in batches(pairs, stop=64):
        assert (batch["a"] + batch["b"]).abs().max() <= 1.01 / 127.5


def test_preview_shows_pairs(sides: dict[str, list[Path]]) -> None:
    pairs = open_pairs(sides)
    preview = shown_batch(pairs, image_size=32, count=5, seed=1, paired=True)
    assert preview.keys() == {"a", "b", "key"}
    assert (preview["a"] + preview["b"]).abs().max() <= 1.01 / 127.5
    assert len({picture.numpy().tobytes() for picture in preview["a"]}) == 5
