"""docs/how-to/from-cyclegan.md names every option of the other framework, and nothing of ours that is not there."""

import re
import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from img2img.cli.app import app
from img2img.data.data_choice import chosen_data
from img2img.errors import DataError, SettingError
from img2img.recipes import recipe_class
from img2img.recipes.settings import make_config

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "how-to" / "from-cyclegan.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")]
    for row in re.findall(r"^\|.*\|$", DOCUMENT, re.MULTILINE)
    if not re.match(r"\| (there|---)", row)
]
THEIRS = (
    "dataroot name gpu_ids checkpoints_dir model input_nc output_nc ngf ndf netD netG n_layers_D norm init_type "
    "init_gain no_dropout dataset_mode direction serial_batches num_threads batch_size load_size crop_size "
    "max_dataset_size preprocess no_flip display_winsize epoch load_iter verbose suffix use_wandb wandb_project_name "
    "display_freq display_ncols display_id display_server display_env display_port update_html_freq print_freq no_html "
    "save_latest_freq save_epoch_freq save_by_iter continue_train epoch_count phase n_epochs n_epochs_decay niter "
    "niter_decay beta1 lr gan_mode pool_size lr_policy lr_decay_iters lambda_A lambda_B lambda_identity lambda_L1 "
    "ntest results_dir aspect_ratio eval num_test model_suffix"
)
"""The options of its base, train and test, and those that its models cycle_gan, pix2pix and test add."""


def commands() -> Iterator[list[str]]:
    """All that are typed, in blocks and in tables."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    spans = [span for row in ROWS for cell in row[1:] for span in re.findall(r"`(img2img [^`]+)`", cell)]
    for line in [*(line for block in blocks for line in block.splitlines()), *spans]:
        yield shlex.split(line)


def options_of(*words: str) -> set[str]:
    """Of a command, as `--name`; what follows the command's own words does not count."""
    command: Any = get_command(app)
    context = command.make_context("img2img", [words[0], "--help"], resilient_parsing=True)
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = command.get_command(context, word)
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


OURS = options_of("train", "cyclegan") | options_of("train", "pix2pix") | options_of("translate")


@pytest.mark.parametrize("option", THEIRS.split())
def test_every_option_of_theirs_is_named(option: str) -> None:
    assert any(re.search(rf"`--{option}\b", row[0]) for row in ROWS)


def test_every_row_says_what_there_is_or_none() -> None:
    for row in ROWS:
        assert re.match(r"`|none$|always$|the same$", row[1]), row


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_command_has_options_that_there_are(command: list[str]) -> None:
    given = {word for word in command[1:] if word.startswith("-")}
    assert given <= options_of(*command[1:])


def test_options_of_ours_are_there() -> None:
    named = {word for row in ROWS if len(row) == 3 for word in re.findall(r"`(--[a-z-]+)`", " ".join(row[1:]))}
    theirs = {f"--{option}" for option in THEIRS.split()}
    assert len(named) > 12
    assert named - theirs <= OURS | {"--reverse"}
    assert "--reverse" in options_of("export")


def settings() -> set[str]:
    spans = {span for row in ROWS if len(row) == 3 for span in re.findall(r"`([^`]+)`", " ".join(row[1:]))}
    return {span for span in spans if re.fullmatch(r"[a-z_0-9]+=\S+", span)} | {"held_out=0"}


@pytest.mark.parametrize("setting", sorted(settings()))
def test_setting_is_one_that_a_recipe_takes_beside_the_papers(setting: str) -> None:
    taken = []
    for name in ("cyclegan", "pix2pix"):
        recipe = recipe_class(name)
        try:
            make_config(recipe, (setting,), **recipe.presets["paper"])
            taken.append(name)
        except SettingError:
            continue
    assert taken


def test_settings_that_are_said_to_be_the_papers_are() -> None:
    """Where the document gives their default's equivalent, --preset paper has it."""
    cyclegan, pix2pix = (recipe_class(name).presets["paper"] for name in ("cyclegan", "pix2pix"))
    assert (cyclegan["epochs"], cyclegan["constant_share"], cyclegan["blocks"]) == (200, 0.5, 9)
    assert (cyclegan["lambda_cycle"], cyclegan["lambda_identity"], cyclegan["pool_size"]) == (10, 5, 50)
    assert (cyclegan["betas"], cyclegan["generator_lr"]) == ((0.5, 0.999), 0.0002)
    assert (pix2pix["lambda_l1"], pix2pix["levels"], pix2pix["adversarial"]) == (100, 8, "bce")


def test_dataroot_is_said_to_be_what_data_takes(two_sets: Path, tmp_path: Path) -> None:
    (whole, each) = next(row[2] for row in ROWS if row[0] == "`--dataroot`").split("`--a`")
    tars = []
    for name, folders in (("set", ("trainA", "trainB")), ("a", ("trainA",)), ("b", ("trainB",))):
        tars.append(tmp_path / f"{name}.tar")
        with tarfile.open(tars[-1], "w") as tar:
            for folder in folders:
                tar.add(two_sets / folder, folder)
    cyclegan = ("cyclegan", ("a", "b"))
    assert chosen_data(*cyclegan, [two_sets], {}, announce=False).domains["b"] == [two_sets / "trainB"]
    assert (chosen_data(*cyclegan, tars[1:], {}, announce=False).domains["b"], ".tar" in each) == (tars[2:], True)
    with pytest.raises(DataError, match=r"set\.tar: a single set of images"):
        chosen_data(*cyclegan, tars[:1], {}, announce=False)
    assert ".tar" not in whole
