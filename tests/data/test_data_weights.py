"""Sets that share a run's samples by weight: how they are named, what is drawn of each, and that a run keeps to it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_run import TINY, again, assert_equal_states, request, train_until
from tiny_sets import Named, assert_equal_batches, shard, tree
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.batches import training_batches
from img2img.data.data_choice import chosen_data
from img2img.data.data_item import DataItem, data_item
from img2img.data.image_sets import WeightedSet
from img2img.data.image_source import ImageSource, JoinedSource
from img2img.data.open_source import from_anywhere, open_source
from img2img.data.sample_order import SHORTEST_BLOCK, SampleOrder, WeightedOrder, order_of
from img2img.data.training_data import open_data, split_off_last
from img2img.errors import DataError, SettingError, UsageError
from img2img.evaluation.sets.pictures import measured_part
from img2img.export.card import card_of
from img2img.recipes import recipe_class
from img2img.recipes.settings import make_config
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import load_latest
from img2img.training.request import TrainingRequest
from img2img.training.run_data import begun_with
from img2img.training.start import start

CPU = torch.device("cpu")


def sets_of(*weights_and_sizes: tuple[int, float]) -> list[WeightedSet]:
    return [WeightedSet(*each) for each in weights_and_sizes]


@pytest.fixture
def sets(colour_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: photos with five images, people-0.tar with two, people-1.tar with one."""
    monkeypatch.chdir(tmp_path)
    tree(Path("photos"), colour_photos / "0.png", *(f"{number}.png" for number in range(5)))
    for number, (name, *more) in enumerate((("1.png", "2.png"), ("3.png",))):
        shard(Path(f"people-{number}.tar"), colour_photos / name, name, *more)
    return tmp_path


# How an item is named


def test_weight_stands_behind_the_last_equals_sign(sets: Path) -> None:
    assert data_item("photos") == DataItem("photos", None)
    assert data_item("photos=2") == DataItem("photos", 2.0)
    assert data_item(Path("people-0.tar=0.5")) == DataItem("people-0.tar", 0.5)
    assert data_item("digits=1e-3") == DataItem("digits", 0.001)
    assert data_item("people-*.tar=3") == DataItem("people-*.tar", 3.0)


def test_path_with_an_equals_sign_is_that_path(sets: Path) -> None:
    (sets / "photos").rename(sets / "photos=2")
    assert data_item("photos=2") == DataItem("photos=2", None)
    assert data_item("photos=2=3") == DataItem("photos=2", 3.0)
    assert len(open_source(["photos=2"])) == 5
    assert from_anywhere("photos=2=3") == f"{sets / 'photos=2'}=3"


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "1e999", "two", ""])
def test_weight_that_is_no_positive_number_is_refused_by_name(sets: Path, weight: str) -> None:
    for item in ("photos", "digits", "people-*.tar"):
        with pytest.raises(SettingError) as caught:
            open_source(["people-0.tar", f"{item}={weight}"])
        assert str(caught.value) == f"{item}={weight}: the weight must be a positive number, as in {item}=2"


@pytest.mark.parametrize(
    ("word", "named"),
    [("gone.tar", "gone.tar"), ("gone.tar=2", "gone.tar"), ("gone=1/photos", "gone=1/photos"), ("=2", "=2")],
)
def test_what_is_not_there_is_named_as_ever(sets: Path, word: str, named: str) -> None:
    with pytest.raises(DataError) as caught:
        open_source([word])
    assert str(caught.value) == f"{named}: no such folder or tar file"


def test_pattern_stands_for_its_files_in_order_with_and_without_weights(sets: Path) -> None:
    for weight in ("", "=2"):
        by_pattern, each = open_source([f"people-*.tar{weight}"]), open_source(["people-0.tar", "people-1.tar"])
        names = [[Path(source.name(index)).name for index in range(3)] for source in (by_pattern, each)]
        assert names == [["people-0.tar:1.png", "people-0.tar:2.png", "people-1.tar:3.png"]] * 2
        assert by_pattern.sets == ()
    with pytest.raises(DataError, match=r"cars-\*\.tar: no such folder or tar file"):
        open_source(["cars-*.tar=2"])


def test_folder_called_digits_that_a_pattern_finds_is_not_the_word(sets: Path) -> None:
    (sets / "photos").rename("digits")
    assert len(open_source(["dig*"])) == 5


def test_items_open_from_anywhere_with_their_weights(
    sets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (sets / "[mine]").mkdir()
    for path in sets.glob("people-*"):
        path.rename(sets / "[mine]" / path.name)
    monkeypatch.chdir(sets / "[mine]")
    words = ("../photos", "people-*.tar=2", "./people-0.tar=0.5", "digits=3", "digits")
    recorded = [from_anywhere(word) for word in words]
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    items = [data_item(word) for word in recorded]
    assert [item.weight for item in items] == [None, 2, 0.5, 3, None]
    assert [len(item.paths()) for item in items] == [1, 2, 1, 1, 1]
    assert open_source(recorded).sets == tuple(sets_of((5, 1), (3, 2), (2, 0.5), (5000, 3), (5000, 1)))


# Which set has which share


def test_without_weights_nothing_changes(sets: Path) -> None:
    source = open_source(["photos", "people-*.tar"])
    assert source.sets == ()
    order, plain = order_of(source, 3), SampleOrder(8, 3)
    assert [order.image(sample) for sample in range(40)] == [plain.image(sample) for sample in range(40)]


def test_single_item_has_all_samples_whatever_its_weight(sets: Path) -> None:
    assert open_source(["photos=0.1"]).sets == open_source(["people-*.tar=7"]).sets == ()


def test_items_without_a_weight_count_one_when_another_has_one(sets: Path) -> None:
    source = open_source(["photos", "people-*.tar=2", "people-1.tar"])
    assert source.sets == tuple(sets_of((5, 1), (3, 2), (1, 1)))


def test_set_that_cannot_have_its_share_is_refused(sets: Path) -> None:
    (sets / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no images in there, so it cannot have a part of the samples"):
        open_source(["photos=2", "empty"])
    assert len(open_source(["photos", "empty"])) == 5
    with pytest.raises(SettingError, match="photos: its weight 1e-07 is less than a millionth of all"):
        open_source(["photos=1e-7", "people-0.tar"])
    assert open_source(["photos=1e308", "people-0.tar=1e308"]).sets


# Which image is the n-th


def set_of(sets: list[WeightedSet], image: int) -> int:
    return int(np.searchsorted(np.cumsum([one.images for one in sets]), image, side="right"))


def test_two_to_one_is_two_to_one_in_every_block() -> None:
    sets = sets_of((1000, 1), (7, 2))
    order = WeightedOrder(sets, seed=1)
    for block in range(20):
        first = block * SHORTEST_BLOCK
        people = sum(order.image(sample) >= 1000 for sample in range(first, first + SHORTEST_BLOCK))
        assert people in (SHORTEST_BLOCK * 2 // 3, SHORTEST_BLOCK * 2 // 3 + 1)


def test_shares_do_not_drift_over_a_long_run() -> None:
    sets = sets_of((3, 0.1), (11, 0.2), (5, 1.3), (400, 0.7))
    order, samples = WeightedOrder(sets, seed=5), 100 * SHORTEST_BLOCK
    counts = np.bincount([set_of(sets, order.image(sample)) for sample in range(samples)], minlength=4)
    for count, share in zip(counts, (0.1 / 2.3, 0.2 / 2.3, 1.3 / 2.3, 0.7 / 2.3), strict=True):
        assert abs(count - share * samples) < 1


def test_share_is_as_exact_after_a_hundred_million_samples() -> None:
    order = WeightedOrder(sets_of((2, 1), (2, 2)), seed=5)
    blocks = 10**8 // SHORTEST_BLOCK
    first, second = order._had(blocks)
    assert first + second == blocks * SHORTEST_BLOCK
    assert abs(first - blocks * SHORTEST_BLOCK / 3) < 1


SIZES_AND_WEIGHTS = st.lists(
    st.tuples(st.integers(1, 30), st.floats(0.01, 100) | st.integers(1, 50)), min_size=2, max_size=6
)


@settings(max_examples=15, deadline=None)
@given(SIZES_AND_WEIGHTS, st.integers(0, 2**31), st.integers(0, 10**6))
@example([(1, 1), (1, 1)], 0, 0)
@example([(30, 0.01), (1, 100), (2, 100)], 1, 999)
def test_each_set_has_its_share_and_each_image_its_turn(pairs, seed, start_block) -> None:
    sets = sets_of(*pairs)
    order, again = WeightedOrder(sets, seed), WeightedOrder(sets, seed)
    length, total = order._length, sum(weight for _, weight in pairs)
    images = [order.image(sample) for sample in range(length)]
    drawn = [[image for image in images if set_of(sets, image) == place] for place in range(len(sets))]
    for (size, weight), mine in zip(pairs, drawn, strict=True):
        assert abs(len(mine) - weight / total * len(images)) < 1 + 1e-6
        for first in range(0, len(mine) - size + 1, size):
            assert len(set(mine[first : first + size])) == size, "a pass shows each image once"
    far = [start_block * length + place for place in range(min(length, 100))]
    assert [again.image(sample) for sample in reversed(far)] == [order.image(sample) for sample in far][::-1]


def test_passes_and_sets_have_orders_of_their_own() -> None:
    sets = sets_of((40, 1), (40, 1))
    order = WeightedOrder(sets, seed=2)
    images = [order.image(sample) for sample in range(2 * SHORTEST_BLOCK)]
    first, second = ([image % 40 for image in images if set_of(sets, image) == place] for place in (0, 1))
    assert first[:40] != first[40:80]
    assert first[:40] != second[:40]
    assert [set_of(sets, image) for image in images[:SHORTEST_BLOCK]] != [
        set_of(sets, image) for image in images[SHORTEST_BLOCK:]
    ]


# Batches


WEIGHTED = ("photos", "people-*.tar=2")


def batches(**changes: Any) -> list[dict[str, torch.Tensor]]:
    given = {"image_size": 32, "batch_size": 4, "augment": "none", "first": 0, "stop": 24, "seed": 3, "device": CPU}
    return list(training_batches({"image": open_source(WEIGHTED)}, **(given | changes)))


@pytest.mark.parametrize("augment", ["none", "flip", "crop"])
def test_caching_changes_nothing(sets: Path, augment: str) -> None:
    cached, uncached, on_device = (batches(augment=augment, cache=cache) for cache in ("memory", "none", "device"))
    assert_equal_batches(cached, uncached)
    assert_equal_batches(cached, on_device)


@pytest.mark.parametrize("cache", ["memory", "none"])
@pytest.mark.parametrize("augment", ["crop", "photo"])
def test_resumed_run_and_two_ranks_see_the_same_samples(sets: Path, cache: str, augment: str) -> None:
    whole = batches(augment=augment, cache=cache)
    assert_equal_batches(whole[2:], batches(augment=augment, cache=cache, first=8))
    halves = [batches(augment=augment, cache=cache, rank=rank, world=2) for rank in (0, 1)]
    for batch, one, two in zip(whole, *halves, strict=True):
        torch.testing.assert_close(torch.cat([one["image"], two["image"]]), batch["image"], rtol=0, atol=1e-6)


@pytest.mark.slow
def test_loader_workers_change_nothing(sets: Path) -> None:
    assert_equal_batches(*(batches(augment="crop", cache="none", workers=workers) for workers in (0, 2)))


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_labels_are_those_of_the_images(colour_photos: Path, tmp_path: Path, cache: str) -> None:
    one = tree(tmp_path / "one", colour_photos / "0.png", *(f"{kind}/{n}.png" for kind in "xy" for n in range(9)))
    two = tree(tmp_path / "two", colour_photos / "1.png", "y/1.png", "z/2.png")
    source = open_source([one, f"{two}=3"])
    order = order_of(source, 3)
    given = {"image_size": 8, "batch_size": 60, "augment": "none", "first": 0, "stop": 60, "seed": 3, "device": CPU}
    (batch,) = training_batches({"image": source}, **given, cache=cache)
    assert source.classes == ("x", "y", "z")
    assert batch["label"].tolist() == [source.label(order.image(sample)) for sample in range(60)]
    assert (batch["label"] == 2).sum() > 10  # without weights 3 of 60


def test_two_domains_have_weights_of_their_own(sets: Path) -> None:
    sources = {"a": open_source(["photos", "people-0.tar=3"]), "b": open_source(["people-*.tar"])}
    data = {domain: source.sets for domain, source in sources.items()}
    assert data == {"a": tuple(sets_of((5, 1), (2, 3))), "b": ()}
    given = {"image_size": 16, "batch_size": 8, "augment": "none", "first": 0, "stop": 8, "seed": 3, "device": CPU}
    (weighted,) = training_batches(sources, **given)
    (plain,) = training_batches({**sources, "a": open_source(["photos", "people-0.tar"])}, **given)
    assert torch.equal(weighted["b"], plain["b"])
    assert not torch.equal(weighted["a"], plain["a"])


# What is held out, and how long an epoch is


def joined(*parts: tuple[str, int, float]) -> ImageSource:
    sources = [Named(*(f"{name}{index:03}" for index in range(size))) for name, size, _ in parts]
    return JoinedSource(sources, tuple(WeightedSet(size, weight) for _, size, weight in parts))


def test_every_set_gives_its_own_last_images_and_keeps_the_rest() -> None:
    source = joined(("b", 60, 1), ("a", 30, 2), ("c", 10, 1))
    rest, last = split_off_last(source, 100)
    assert [last.name(index) for index in range(len(last))] == [
        *("b054", "b055", "b056", "b057", "b058", "b059", "a027", "a028", "a029", "c009")
    ]
    assert rest.sets == tuple(sets_of((54, 1), (27, 2), (9, 1)))
    assert last.sets == tuple(sets_of((6, 1), (3, 2), (1, 1)))


def test_small_set_is_never_held_out_whole() -> None:
    source = joined(("photos", 990, 1), ("z", 4, 5))
    rest, last = split_off_last(source, 50)
    assert rest.sets == tuple(sets_of((941, 1), (4, 5)))
    assert last.sets == tuple(sets_of((49, 1)))
    order = order_of(rest, 1)
    shown = {rest.name(order.image(sample)) for sample in range(SHORTEST_BLOCK)}
    assert {name for name in shown if name.startswith("z")} == {"z000", "z001", "z002", "z003"}
    assert not shown & {last.name(index) for index in range(len(last))}


def test_evaluation_holds_out_the_same_images(colour_photos: Path, tmp_path: Path) -> None:
    words = [
        f"{tree(tmp_path / name, colour_photos / '0.png', *(f'{number:02}.png' for number in range(size)))}={weight}"
        for name, size, weight in (("a", 30, 2), ("b", 50, 1))
    ]
    held_out, measured = open_data({"a": words}, held_out=8).held_out["a"], measured_part(open_source(words), 8)
    names = [[source.name(index) for index in range(len(source))] for source in (held_out, measured)]
    assert names[0] == names[1]
    assert [Path(name).parent.name for name in names[0]] == ["a"] * 3 + ["b"] * 5


def test_epoch_is_as_many_samples_as_there_are_images(sets: Path) -> None:
    data = open_data({"image": WEIGHTED})
    assert (data.epoch, data.images) == (8, 8)


# A run


def weighted_request(out: Path, **changes: Any) -> TrainingRequest:
    return replace(request("", out, **changes), data=WEIGHTED)


def test_run_records_the_weights_and_goes_on_with_the_same_samples(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(weighted_request(sets / "whole")).train()
    train_until(start(weighted_request(sets / "cut")), step=4)
    info = json.loads((sets / "cut" / "config.json").read_text())
    assert info["data"] == [str(sets / "photos"), f"{sets / 'people-*.tar'}=2"]
    assert info["images"] == 8
    monkeypatch.chdir("/")
    start(again("", sets / "cut")).train()
    assert_equal_states(load_latest(sets / "whole"), load_latest(sets / "cut"))


def test_weights_change_what_is_learnt(sets: Path) -> None:
    plain = [word.removesuffix("=2") for word in WEIGHTED]
    start(replace(request("", sets / "plain", steps=2), data=plain)).train()
    start(weighted_request(sets / "weighted", steps=2)).train()
    with pytest.raises(AssertionError):
        assert_equal_states(load_latest(sets / "plain"), load_latest(sets / "weighted"))


def test_shard_that_came_later_does_not_change_a_run_unsaid(sets: Path, colour_photos: Path) -> None:
    start(weighted_request(sets / "run", steps=2)).train()
    shard(sets / "people-2.tar", colour_photos / "0.png", "0.png")
    with pytest.raises(DataError, match=r"people-\*\.tar=2: 9 images, and the run began with 8"):
        start(again("", sets / "run"))


def test_card_names_the_sets_with_their_weights(sets: Path) -> None:
    start(weighted_request(sets / "run", steps=2)).train()
    recipe, state = recipe_class("gan"), load_latest(sets / "run")
    assert card_of(sets / "run", state, recipe, recipe.Config(**state.config)).data == "photos, people-*.tar=2"


def test_run_of_two_domains_finds_its_weights_again(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    domains = {"a": ["photos", "people-0.tar=3"], "b": ["people-*.tar"]}
    start(request("", sets / "run", "cyclegan", domains=domains, steps=2)).train()
    assert RunFolder(sets / "run").read_info().domains == {
        "a": [str(sets / "photos"), f"{sets / 'people-0.tar'}=3"],
        "b": [str(sets / "people-*.tar")],
    }
    monkeypatch.chdir("/")
    assert start(again("", sets / "run", "cyclegan", steps=3)).data.train["a"].sets == tuple(sets_of((5, 1), (2, 3)))


def test_set_of_both_domains_takes_no_weight(sets: Path) -> None:
    for data in (["photos=2"], ["photos", "people-0.tar=2"]):
        with pytest.raises(UsageError, match=r"=2: a weight shares out .* give --a ITEM=WEIGHT --b ITEM=WEIGHT"):
            chosen_data("cyclegan", ("a", "b"), data, {}, announce=False)
    pair = chosen_data("cyclegan", ("a", "b"), ["photos", "people-*.tar"], {}, announce=False)
    assert pair.domains == {"a": ["photos"], "b": ["people-*.tar"]}


# Weights from a file of settings


def test_file_names_the_data_and_its_weights(sets: Path) -> None:
    file = sets / "c.toml"
    file.write_text('batch_size = 3\n[data]\nphotos = 1\n"people-*.tar" = 0.5\n')
    chosen = begun_with(recipe_class("gan"), request("", sets / "run", config=file), announce=False)
    assert chosen.named == ["photos=1", "people-*.tar=0.5"]
    assert open_source(chosen.named).sets == tuple(sets_of((5, 1), (3, 0.5)))
    assert make_config(recipe_class("gan"), file=file).batch_size == 3


def test_command_wins_over_the_file(sets: Path) -> None:
    file = sets / "c.toml"
    file.write_text('[data]\n"gone.tar" = 2\n')
    chosen = begun_with(recipe_class("gan"), request("photos", sets / "run", config=file), announce=False)
    assert chosen.named == ["photos"]


def test_file_has_a_table_for_each_of_two_domains(sets: Path) -> None:
    file, recipe = sets / "c.toml", recipe_class("cyclegan")
    file.write_text('batch_size = 3\n[a]\nphotos = 2\n"people-0.tar" = 1\n[b]\n"people-*.tar" = 1\n')
    chosen = begun_with(recipe, request("", sets / "run", "cyclegan", config=file), announce=False)
    assert chosen.domains == {"a": ["photos=2", "people-0.tar=1"], "b": ["people-*.tar=1"]}
    assert make_config(recipe, file=file).batch_size == 3
    file.write_text("[data]\nphotos = 2\n")
    with pytest.raises(
        SettingError, match=r"\[data\]: cyclegan learns from two sets; give each a table, \[a\] and \[b\]"
    ):
        start(request("", sets / "run", "cyclegan", config=file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = 'photos'", r"c.toml: data = 'photos': write it as a table, with lines \"PATH\" = WEIGHT"),
        ("[data]", r"c.toml: data = {}: write it as a table"),
        ("[data]\npeople.tar = 2", r"data, people = {'tar': 2}: write \"PATH\" = NUMBER, the path in quotes"),
        ("[data]\nphotos = true", "data, photos = True: write"),
        ("[data]\nphotos = 0", "photos=0: the weight must be a positive number"),
        ("[data]\nphotos = nan", "photos=nan: the weight must be a positive number"),
    ],
)
def test_table_that_cannot_be_is_explained(sets: Path, text: str, message: str) -> None:
    file = sets / "c.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message):
        start(request("", sets / "run", config=file))


# The commands


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_command_explains_a_weight_that_cannot_be(sets: Path) -> None:
    tiny = [word for setting in TINY["gan"] for word in ("--set", setting)]
    code, output = said("train", "gan", "--data", "photos", "--data", "people-0.tar=0", "--device", "cpu", *tiny)
    assert code == 1
    assert "people-0.tar=0: the weight must be a positive number, as in people-0.tar=2" in output
    assert not (sets / "runs").exists()
    assert said("train", "cyclegan", "--data", "photos=2", "--data", "people-0.tar")[0] == 2


def test_help_says_what_a_weight_does() -> None:
    for recipe in ("gan", "cyclegan"):
        assert "ITEM=WEIGHT" in said("train", recipe, "--help")[1]


def test_check_takes_the_items_of_a_training(sets: Path) -> None:
    code, output = said("data", "check", "photos", "people-*.tar=2", "--json")
    assert json.loads(output)["images"] == 8
    assert code == 0
    code, output = said("data", "check", "photos=0")
    assert code == 1
    assert "photos=0: the weight must be a positive number" in output
