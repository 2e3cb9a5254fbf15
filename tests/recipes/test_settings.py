"""Settings as text and as TOML: parsed by their types, explained when they cannot be."""

from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import SettingError
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.setting_list import preset_list, setting_list, setting_names
from img2img.recipes.settings import make_config


def test_settings_are_parsed_by_their_types() -> None:
    config = make_config(
        recipe_class("colorizer-gan"), ["batch_size=4", "generator_lr=1e-5", "betas=0, 0.9", "pretrained=no"]
    )
    assert (config.batch_size, config.generator_lr, config.betas, config.pretrained) == (
        4,
        1e-5,
        (0.0, 0.9),
        False,
    )


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("size=3", "no setting 'size'; there are: steps, batch_size"),
        ("batchsize=3", r"no setting 'batchsize'; did you mean batch_size\?"),
        ("adversarial=bec", r"must be one of minimax, bce, .*; did you mean bce\?"),
        ("augment=photos", r"must be one of .*; did you mean photo\?"),
        ("batch_size=many", "batch_size takes int"),
        ("batch_size", "write it as name=value"),
        ("batch_size=0", "must be 1 or more"),
        ("image_size=100", "multiple of 32"),
        ("adversarial=tough-love", "one of minimax, bce"),
        ("temperature=0", "above 0, at most 1"),
        ("temperature=nan", "above 0, at most 1"),
        ("saturation=-1", "0 or more"),
        ("warmup=1", "below 1"),
        ("generator_lr=-1", "above 0"),
        ("lambda_l1=-1", "0 or more"),
        ("betas=0.5, 1", "below 1"),
        ("discriminator_channels=0", "1 or more"),
        ("pretrained=perhaps", "pretrained takes bool"),
    ],
)
def test_setting_that_cannot_be_is_explained(assignment: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_config(recipe_class("colorizer-gan"), [assignment])


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("gan", ["upsampling=resize"], "upsampling=resize: must be transposed: gan is fully connected"),
        ("colorizer-gan", ["rarity=1"], "rarity=1.0: must be 0.5: counts only with lambda_cross_entropy"),
        ("colorizer-gan", ["uniform_share=0.2"], "uniform_share=0.2: must be 0.5: counts only with"),
    ],
)
def test_setting_that_would_do_nothing_is_refused(recipe: str, settings: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_config(recipe_class(recipe), settings)


def test_setting_is_taken_where_it_does_something() -> None:
    taken = make_config(recipe_class("colorizer-gan"), ["lambda_cross_entropy=1", "rarity=1", "uniform_share=0.2"])
    assert (taken.rarity, taken.uniform_share) == (1.0, 0.2)
    assert make_config(recipe_class("dcgan"), ["upsampling=resize"]).upsampling == "resize"


def test_batch_norm_gets_at_least_two_values() -> None:
    with pytest.raises(SettingError, match="batch_size=1: must be 2 or more"):
        make_config(recipe_class("colorizer"), ["batch_size=1", "image_size=32"])
    make_config(recipe_class("colorizer"), ["batch_size=1", "image_size=64"])


def test_unknown_recipe_is_answered_with_the_nearest_or_all() -> None:
    with pytest.raises(SettingError, match=r"did you mean colorizer\?"):
        recipe_class("colourizer")
    with pytest.raises(SettingError, match="there are: colorizer, colorizer-gan"):
        recipe_class("unet")


@pytest.fixture
def toml(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        return tmp_path / "config.toml"

    return write


def test_file_gives_settings_of_every_type(toml) -> None:
    file = toml('batch_size = 4\ngenerator_lr = 1e-5\nbetas = [0.0, 0.9]\npretrained = false\nadversarial = "bce"\n')
    config = make_config(recipe_class("colorizer-gan"), file=file)
    assert (config.batch_size, config.generator_lr, config.betas) == (4, 1e-5, (0.0, 0.9))
    assert (config.pretrained, config.adversarial) == (False, "bce")


def test_set_wins_over_steps_over_file_over_default(toml) -> None:
    file = toml("batch_size = 4\nsteps = 5\nwarmup = 0.5\n")
    config = make_config(recipe_class("colorizer"), ["batch_size=8"], file, steps=7)
    assert (config.batch_size, config.steps, config.warmup) == (8, 7, 0.5)
    assert config.image_size == make_config(recipe_class("colorizer")).image_size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size = 3", "no setting 'size'; there are: steps, batch_size"),
        ("batch_size = 1.5", r"config.toml: batch_size = 1.5: batch_size takes int"),
        ("batch_size = true", "batch_size takes int"),
        ("betas = [0.5]", "betas takes tuple"),
        ("[generator]\nlr = 1", "no setting 'generator'"),
        ("batch_size = ", "config.toml: not TOML"),
        ("steps = 0", "must be 1 or more"),
    ],
)
def test_file_that_cannot_be_is_explained(text: str, message: str, toml) -> None:
    with pytest.raises(SettingError, match=message):
        make_config(recipe_class("colorizer-gan"), file=toml(text))


def test_preset_wins_over_defaults_alone(toml) -> None:
    cyclegan = recipe_class("cyclegan")
    paper = make_config(cyclegan, preset="paper")
    assert (paper.generator, paper.batch_size, paper.epochs, paper.pool_size) == ("resnet", 1, 200, 50)
    changed = make_config(cyclegan, ["blocks=6"], toml("pool_size = 20\nblocks = 7\n"), "paper", steps=7)
    assert (changed.generator, changed.blocks, changed.pool_size, changed.steps) == ("resnet", 6, 20, 7)


@pytest.mark.parametrize(
    ("recipe", "preset", "message"),
    [
        ("cyclegan", "essay", "--preset essay: cyclegan has no such preset; there are: paper"),
        ("cyclegan", "papr", r"--preset papr: cyclegan has no such preset; did you mean paper\?"),
        ("gan", "essay", "--preset essay: gan has none"),
    ],
)
def test_preset_that_is_none_is_explained(recipe: str, preset: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_config(recipe_class(recipe), preset=preset)


def test_tuple_of_any_length_is_given_as_a_list() -> None:
    cyclegan = recipe_class("cyclegan")
    for text, expected in (("color, cutout", ("color", "cutout")), ("color", ("color",)), ("", ())):
        assert make_config(cyclegan, [f"diff_augment={text}"]).diff_augment == expected


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nowhere.toml: no such file"):
        make_config(recipe_class("gan"), file=tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", RECIPES)
def test_list_of_settings_can_be_given_back(name: str) -> None:
    recipe = recipe_class(name)
    lines = list(setting_list(recipe))
    assignments = [line for line in lines if not line.startswith(" ")]
    assert len(assignments) == len(fields(recipe.Config))
    assert make_config(recipe, assignments) == make_config(recipe)
    assert "    Training steps of the whole schedule." in lines


def test_list_of_settings_explains_by_the_most_derived_text() -> None:
    lines = list(setting_list(recipe_class("gan")))
    assert lines[lines.index("generator_channels=512") + 1].startswith(
        "    Units of the generator's wider hidden layer"
    )
    assert "    Of the generator's largest feature map" not in "\n".join(lines)


def test_list_of_presets_says_what_each_changes() -> None:
    lines = list(preset_list(recipe_class("cyclegan")))
    assert lines[0] == "--preset paper"
    changes = dict(change.split("=") for line in lines[1:] for change in line.split())
    assert (changes["generator"], changes["betas"], changes["diff_augment"]) == ("resnet", "0.5,0.999", "")
    assert list(preset_list(recipe_class("gan"))) == []


def test_command_lists_the_settings_and_its_help_says_so() -> None:
    listed = CliRunner().invoke(app, ["train", "wgan-gp", "--list-settings", "--data", "nowhere"])
    assert listed.exit_code == 0
    assert "\nbetas=0.0,0.9\n    Of Adam, for both players.\n" in listed.stdout
    assert "--preset paper\n    " in CliRunner().invoke(app, ["train", "cyclegan", "--list-settings"]).stdout
    assert "img2img train wgan-gp --list-settings" in CliRunner().invoke(app, ["train", "wgan-gp", "--help"]).stdout


@pytest.mark.parametrize("name", RECIPES)
def test_names_read_from_the_sources_are_those_of_the_config_in_its_order(name: str) -> None:
    assert setting_names(name) == [field.name for field in fields(recipe_class(name).Config)]


@pytest.mark.parametrize("name", RECIPES)
def test_the_table_of_recipes_names_the_presets(name: str) -> None:
    assert RECIPES[name].presets == tuple(recipe_class(name).presets)
