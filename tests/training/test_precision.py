"""In which precision a step's arithmetic is done."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from conftest import Fitting
from tiny_recipe import batch, losses, tiny_recipe
from tiny_run import QUICK, TINY, again, assert_equal_states, request, train_until

from img2img.errors import SettingError
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.settings import make_config
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import load_latest
from img2img.training.start import start

UNTIMED = {"images_per_second", "seconds"}


@pytest.mark.parametrize("recipe", ["dcgan", "cyclegan", "colorizer"])
def test_bf16_rounds_the_arithmetic_and_nothing_that_is_kept(recipe: str, fitting: Fitting, tmp_path: Path) -> None:
    states, losses = {}, {}
    for precision in ("auto", "float32", "bf16"):
        out, settings = tmp_path / precision, (*TINY[recipe], f"precision={precision}")
        start(request(fitting(recipe), out, recipe, settings=settings, steps=2, pace=QUICK)).train()
        states[precision], losses[precision] = load_latest(out).networks, RunFolder(out).stats()[0]
    exact, rounded = states["auto"], states["bf16"]
    assert all(torch.equal(value, states["float32"][name]) for name, value in exact.items())  # on a processor
    assert not all(torch.equal(value, rounded[name]) for name, value in exact.items())
    assert [value.dtype for value in rounded.values()] == [value.dtype for value in exact.values()]
    figures = losses["auto"].keys() - UNTIMED
    assert {name: losses["bf16"][name] for name in figures} == pytest.approx(
        {name: losses["auto"][name] for name in figures}, rel=0.05, abs=0.02
    )


def test_run_in_bf16_resumes_bit_for_bit(fitting: Fitting, tmp_path: Path) -> None:
    photos, settings = fitting("cyclegan"), (*TINY["cyclegan"], "precision=bf16")
    start(request(photos, tmp_path / "whole", "cyclegan", settings=settings, steps=4, pace=QUICK)).train()
    train_until(start(request(photos, tmp_path / "cut", "cyclegan", settings=settings, steps=4, pace=QUICK)), step=3)
    start(again(photos, tmp_path / "cut", "cyclegan", pace=QUICK)).train()
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))


@pytest.mark.parametrize(
    ("precision", "device", "in_bf16"),
    [
        ("auto", "cpu", False),
        ("auto", "cuda", True),
        ("float32", "cuda", False),
        ("bf16", "cpu", True),
    ],
)
def test_auto_is_bf16_on_a_gpu_alone(precision: str, device: str, in_bf16: bool) -> None:
    config = make_config(recipe_class("dcgan"), [f"precision={precision}"])
    assert config.in_bf16(torch.device(device)) is in_bf16


def test_other_precisions_are_refused_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="bf16"):
        make_config(recipe_class("dcgan"), ["precision=fp16"])


@pytest.mark.parametrize(
    ("has", "precision", "told"),
    [
        ({"avx512_bf16": True}, "auto", True),
        ({"amx_bf16": True, "avx512_bf16": False}, "auto", True),
        ({"avx512_f": True, "avx512_bf16": False}, "auto", False),
        ({"avx512_bf16": True}, "bf16", False),
        ({"avx512_bf16": True}, "float32", False),
    ],
)
def test_processor_with_bfloat16_is_told_of(
    has: dict[str, bool],
    precision: str,
    told: bool,
    fitting: Fitting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    caplog.set_level("INFO", "img2img")
    start(request(fitting("gan"), tmp_path, settings=(*TINY["gan"], f"precision={precision}")))
    assert ("--set precision=bf16" in caplog.text) is told


PENALTIES: tuple[dict[str, str], ...] = ({"r1": "1"}, {"r2": "1"}, {"adversarial": "wasserstein-gp"}, {})
KINDS = [*((name, ()) for name in RECIPES), ("cgan", ("condition=embedding", "image_size=32"))]


def penalised() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each recipe with each penalty that it has a setting for."""
    for name, settings in KINDS:
        has = {field.name for field in fields(recipe_class(name).Config)}
        for penalty in PENALTIES:
            if penalty.keys() <= has:
                yield name, (*settings, *(f"{setting}={value}" for setting, value in penalty.items()))


@pytest.mark.parametrize(("name", "settings"), [*penalised()])
def test_every_penalty_can_be_computed_in_bf16(name: str, settings: tuple[str, ...]) -> None:
    recipe = tiny_recipe(name, *settings)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        given = losses(recipe, batch(recipe))
    assert given
    assert all(loss.isfinite() for loss in given.values())
