"""Two domains that are not paired: where each is read from, what is held out of it, and the batches of both."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_sets import Named, assert_equal_batches, shard, tree

from img2img.data.batches import preview_batch, shown_batch, training_batches
from img2img.data.data_choice import chosen_data
from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.data.loading import to_tensor
from img2img.data.open_source import open_source
from img2img.data.sample_order import SampleOrder, domain_seed, sample_keys
from img2img.data.training_data import TrainingData, open_data, split_off_last
from img2img.errors import DataError, UsageError
from img2img.randomness import derive_seed

CPU = torch.device("cpu")
PAIR = ("a", "b")


def chosen(*data: str | Path, recipe: str = "cyclegan", domains=PAIR, **by_domain) -> dict[str, list[str | Path]]:
    return dict(chosen_data(recipe, domains, data, by_domain, announce=False).domains)


@pytest.fixture
def pair(two_sets: Path, tmp_path: Path) -> Path:
    """A folder with four images in trainA, three in trainB."""
    return shutil.copytree(two_sets, tmp_path / "pair")


# Where the images of each domain are


def test_folder_of_both_sets_is_split_by_its_folders(pair: Path) -> None:
    assert chosen(pair) == {"a": [pair / "trainA"], "b": [pair / "trainB"]}


def test_two_sources_are_a_and_then_b(colour_photos: Path, pair: Path, tmp_path: Path) -> None:
    tar = shard(tmp_path / "b.tar", colour_photos / "0.png", "0.png")
    assert chosen(pair / "trainA", tar) == {"a": [pair / "trainA"], "b": [tar]}


def test_each_domain_can_have_several_sources_of_its_own() -> None:
    assert chosen(a=["x", "y.tar"], b=["z"]) == {"a": ["x", "y.tar"], "b": ["z"]}
    named = chosen_data("cyclegan", PAIR, [], {"b": ["z"], "a": ["x", "y"]}, announce=False).named
    assert named == ["x", "y", "z"]


def test_recipe_of_one_domain_takes_all_that_is_named() -> None:
    assert chosen("x", "y.tar", recipe="gan", domains=("image",)) == {"image": ("x", "y.tar")}


@pytest.mark.parametrize(
    ("data", "by_domain", "message"),
    [
        (
            ("x", "y", "z"),
            {},
            r"--data given 3 times, and cyclegan learns from two sets: give --data FOLDER with train",
        ),
        (("x",), {"a": ["y"], "b": ["z"]}, "--data and --a or --b: give either"),
        ((), {"b": ["z"]}, "--b without --a: cyclegan learns from images of both"),
    ],
)
def test_words_that_contradict_each_other_are_refused(data: tuple[str, ...], by_domain: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen(*data, **by_domain)


@pytest.mark.parametrize("given", [{"a": ["x"]}, {"a": ["x"], "b": ["y"]}])
def test_recipe_of_one_domain_refuses_a_and_b(given: Any) -> None:
    with pytest.raises(UsageError, match="--a: gan learns from one set of images; give it as --data"):
        chosen(recipe="gan", domains=("image",), **given)


def test_folder_of_no_two_sets_says_what_is_missing(colour_photos: Path, pair: Path, tmp_path: Path) -> None:
    give = "and cyclegan learns from two: give --data FOLDER with trainA and trainB in it, or --a FOLDER_OR_TAR --b"
    tar = shard(tmp_path / "one.tar", colour_photos / "0.png", "0.png")
    for single in (colour_photos, tar, "digits"):
        with pytest.raises(DataError, match=f"{single}: a single set of images, {give}"):
            chosen(single)
    shutil.rmtree(pair / "trainA")
    with pytest.raises(DataError, match=f"pair: trainB is in it, its other half is not, {give}"):
        chosen(pair)
    with pytest.raises(DataError, match="nowhere: no such folder or tar file"):
        chosen(tmp_path / "nowhere")


def test_set_of_both_beside_another_is_refused(pair: Path, colour_photos: Path) -> None:
    with pytest.raises(DataError, match="pair: has trainA and trainB in it, so it is both sets: give it alone"):
        chosen(colour_photos, pair)


def test_default_is_horses_and_zebras_and_its_absence_names_the_command(
    pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError, match=r"datasets/horse2zebra, is not here; `img2img data download horse2zebra` .* --a FOLDER_OR_TAR"
    ):
        chosen()
    pair.rename(tmp_path / "horse2zebra")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "horse2zebra").rename(tmp_path / "datasets" / "horse2zebra")
    both = chosen_data("cyclegan", PAIR, (), {}, announce=True)
    assert both.named == ["datasets/horse2zebra"]
    assert both.domains["a"] == [Path("datasets/horse2zebra/trainA")]
    assert log.messages[0].startswith("data: datasets/horse2zebra, the default for cyclegan")


def test_empty_domain_is_named(pair: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no images in there"):
        open_data({"a": [pair / "trainA"], "b": [tmp_path / "empty"]})


# What is held out


def names(source: ImageSource) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def test_last_images_by_name_are_held_out_and_at_most_a_tenth() -> None:
    source = Named(*(f"{(7 * index) % 30:02}" for index in range(30)))
    rest, last = split_off_last(source, 2)
    assert sorted(names(last)) == ["28", "29"]
    assert names(rest) == [name for name in source.names if name < "28"]
    for index in range(2):
        assert last.encoded(index) == last.name(index).encode()
        assert last.rgb(index)[0, 0, 0] == source.names.index(last.name(index))
    assert sorted(names(split_off_last(source, 100)[1])) == ["27", "28", "29"]


def test_nothing_is_held_out_of_less_than_ten_images_nor_when_none_is_asked_for() -> None:
    for source, count in ((Named(*"abcdefghi"), 100), (Named(*(str(index) for index in range(50))), 0)):
        rest, last = split_off_last(source, count)
        assert rest is source
        assert not last


def test_subset_keeps_labels_and_classes(colour_photos: Path, tmp_path: Path) -> None:
    files = (f"{kind}/{number}.png" for kind in "xy" for number in range(6))
    source = open_source([tree(tmp_path, colour_photos / "0.png", *files)])
    rest, last = split_off_last(source, 3)
    assert rest.classes == last.classes == ("x", "y")
    assert [rest.label(index) for index in range(11)] == [0] * 6 + [1] * 5
    assert last.label(0) == 1


def test_previews_show_what_is_held_out_where_there_is_some(colour_photos: Path, tmp_path: Path) -> None:
    twenty = tree(tmp_path / "a", colour_photos / "0.png", *(f"{number:02}.png" for number in range(20)))
    data = open_data({"a": [twenty], "b": [colour_photos]}, held_out=100)
    assert {domain: len(source) for domain, source in data.train.items()} == {"a": 18, "b": 7}
    assert {domain: len(source) for domain, source in data.held_out.items()} == {"a": 2}
    assert {domain: len(source) for domain, source in data.shown.items()} == {"a": 2, "b": 7}
    assert (data.images, data.epoch, data.classes) == (27, 18, ())


# Batches


def batches(sources: dict[str, ImageSource], **changes: Any) -> list[dict[str, torch.Tensor]]:
    settings = {"image_size": 32, "batch_size": 4, "augment": "none", "first": 0, "stop": 24, "seed": 3, "device": CPU}
    return list(training_batches(sources, **(settings | changes)))


@pytest.fixture
def sources(pair: Path) -> dict[str, ImageSource]:
    return {"a": open_source([pair / "trainA"]), "b": open_source([pair / "trainB"])}


def test_batch_holds_both_domains_and_a_key(sources: dict[str, ImageSource]) -> None:
    for cache in ("memory", "none"):
        for batch in batches(sources, cache=cache):
            assert batch.keys() == {"a", "b", "key"}
            assert batch["a"].shape == batch["b"].shape == (4, 3, 32, 32)
    assert torch.equal(batches(sources)[0]["key"], sample_keys(3, range(4)))


def square(source: ImageSource, index: int) -> torch.Tensor:
    return to_tensor(centre_square(source.rgb(index), 32))


def test_each_domain_has_an_order_from_a_seed_of_its_own(sources: dict[str, ImageSource]) -> None:
    seen = batches(sources)
    for domain, source in sources.items():
        order = SampleOrder(len(source), derive_seed(3, f"domain {domain}"))
        expected = torch.stack([square(source, order.image(sample)) for sample in range(24)])
        assert torch.equal(torch.cat([batch[domain] for batch in seen]), expected)


def test_single_domain_goes_by_the_runs_own_seed() -> None:
    assert domain_seed(3, "image", ("image",)) == 3


def test_domains_of_one_folder_are_not_paired(colour_photos: Path) -> None:
    same = open_source([colour_photos])
    (batch,) = batches({"a": same, "b": same}, batch_size=70, stop=70, augment="crop")
    assert not torch.equal(batch["a"], batch["b"])
    squares = (batch["a"] == batch["b"]).flatten(1).all(1)
    assert squares.sum() < 10


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_every_image_of_the_smaller_domain_is_seen_in_each_of_its_own_epochs(
    sources: dict[str, ImageSource], cache: str
) -> None:
    images = torch.cat([batch["b"] for batch in batches(sources, cache=cache)])
    for first in range(0, 24, 3):
        assert len(images[first : first + 3].unique(dim=0)) == 3


@pytest.mark.parametrize("augment", ["none", "flip", "crop"])
def test_caching_changes_nothing(sources: dict[str, ImageSource], augment: str) -> None:
    assert_equal_batches(*(batches(sources, augment=augment, cache=cache) for cache in ("memory", "none")))


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_resumed_run_sees_the_same_samples(sources: dict[str, ImageSource], cache: str) -> None:
    whole = batches(sources, augment="crop", cache=cache)
    assert_equal_batches(whole[2:], batches(sources, augment="crop", cache=cache, first=8))


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_two_ranks_see_what_one_process_sees(sources: dict[str, ImageSource], cache: str) -> None:
    whole = batches(sources, augment="crop", cache=cache)
    halves = [batches(sources, augment="crop", cache=cache, rank=rank, world=2) for rank in (0, 1)]
    joined = [{name: torch.cat([one[name], two[name]]) for name in one} for one, two in zip(*halves, strict=True)]
    assert_equal_batches(joined, whole)


@pytest.mark.slow
def test_loader_workers_change_nothing(sources: dict[str, ImageSource]) -> None:
    alone, helped = (batches(sources, augment="crop", cache="none", workers=workers) for workers in (0, 2))
    assert_equal_batches(alone, helped)


def test_labels_of_a_domain_are_left_out(colour_photos: Path, tmp_path: Path) -> None:
    labelled = open_source([tree(tmp_path, colour_photos / "0.png", "x/1.png", "y/2.png")])
    for cache in ("memory", "none"):
        assert batches({"a": labelled, "b": labelled}, cache=cache)[0].keys() == {"a", "b", "key"}
    assert TrainingData({"a": labelled, "b": labelled}, {}).classes == ()


def test_torchs_own_randomness_is_left_alone(sources: dict[str, ImageSource]) -> None:
    before = torch.get_rng_state()
    batches(sources, augment="crop")
    assert torch.equal(torch.get_rng_state(), before)


def test_preview_shows_as_many_of_both_as_the_smaller_has(sources: dict[str, ImageSource]) -> None:
    preview = shown_batch(sources, image_size=32, count=20, seed=1)
    assert preview.keys() == {"a", "b", "key"}
    assert preview["a"].shape == preview["b"].shape == (3, 3, 32, 32)
    assert preview["key"].unique().numel() == 3
    assert_equal_batches([preview], [shown_batch(sources, image_size=32, count=20, seed=1)])
    for domain, source in sources.items():
        squares = [square(source, index) for index in range(len(source))]
        shown = [[torch.equal(image, each) for each in squares].index(True) for image in preview[domain]]
        assert len(set(shown)) == 3


def test_preview_of_one_domain_is_the_plain_one(colour_photos: Path) -> None:
    source = open_source([colour_photos])
    assert_equal_batches(
        [shown_batch({"image": source}, image_size=32, count=4, seed=1)],
        [preview_batch(source, image_size=32, count=4, seed=1)],
    )
