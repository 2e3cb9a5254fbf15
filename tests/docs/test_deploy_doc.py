"""docs/how-to/deploy.md: a model file without img2img, in Python and in JavaScript, gives what img2img gives."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_translator import RED_TO_BLUE, matrix_translator

import img2img

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
SAMPLES = sorted((CHECKOUT / "datasets" / "samples").glob("*.jpg"))
MODELS = {"colorize": "colorizer", "translate": "horse2zebra"}
BOUNDS = {
    (language, task): (float(mean), int(largest))
    for language, task, mean, largest in re.findall(r"\| (\w+), `(\w+)` \| ([\d.]+) \| (\d+) \|", DOCUMENT)
}
NODE_MODULES = Path(os.environ.get("IMG2IMG_NODE_MODULES", "no-such-folder"))
DRIVER = """
import { readFileSync, writeFileSync } from "node:fs";
import * as deployed from "./img2img.mjs";

const { models, photos } = JSON.parse(readFileSync("jobs.json"));
for (const [task, given] of models) {
  const model = await deployed.open(typeof given === "string" ? deployed[given] : given);
  for (const { name, width, height } of photos) {
    const data = new Uint8ClampedArray(readFileSync(`${name}.rgba`));
    const made = await deployed[task](model, { data, width, height });
    writeFileSync(`${name}.${task}`, made.data);
  }
}
"""
in_node = pytest.mark.skipif(
    not (shutil.which("node") and (NODE_MODULES / "onnxruntime-web").is_dir()),
    reason="no Node with onnxruntime-web here: IMG2IMG_NODE_MODULES names a node_modules that has it",
)


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(found)


def with_models(folder: Path) -> Path:
    for name in MODELS.values():
        shutil.copy(CHECKOUT / "checkpoints" / f"{name}.onnx", folder)
    shutil.copy(SAMPLES[0], folder / "photo.jpg")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the models and a photo in it."""
    monkeypatch.chdir(with_models(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the Python block defines, once it has run as it stands, and `folder`, where it ran."""
    names: dict[str, Any] = {"folder": with_models(tmp_path_factory.mktemp("deployed"))}
    with contextlib.chdir(names["folder"]):
        exec(compile(block("python"), "deploy.md", "exec"), names)
    return names


def photos() -> Iterator[tuple[str, Image.Image]]:
    for path in SAMPLES:
        with Image.open(path) as image:
            yield path.stem, image.convert("RGB")


def assert_equal_enough(made: Any, ours: Image.Image, bounds: tuple[float, int]) -> None:
    difference = np.abs(np.asarray(made).astype(int) - np.asarray(ours))
    assert difference.mean() <= bounds[0]
    assert difference.max() <= bounds[1]


def test_document_says_how_equal_both_are() -> None:
    assert BOUNDS.keys() == {(language, task) for language in ("Python", "JavaScript") for task in MODELS}


@pytest.mark.parametrize(("task", "name"), [("colorize", "coloured.png"), ("translate", "zebra.png")])
def test_python_block_runs_as_it_stands_and_gives_what_img2img_gives(
    deployed: dict[str, Any], task: str, name: str
) -> None:
    ours = img2img.load(MODELS[task], threads=1)
    assert not isinstance(ours, img2img.Sampler)
    with Image.open(deployed["folder"] / name) as made, Image.open(SAMPLES[0]) as photo:
        assert (made.mode, made.size) == ("RGB", photo.size)
        assert_equal_enough(made, ours(photo), BOUNDS["Python", task])


@pytest.mark.slow
@pytest.mark.parametrize("task", MODELS)
def test_python_gives_what_img2img_gives_of_every_sample(deployed: dict[str, Any], task: str) -> None:
    model = deployed["Model"](str(deployed["folder"] / f"{MODELS[task]}.onnx"))
    ours = img2img.load(MODELS[task], threads=1)
    for _, photo in photos():
        assert not isinstance(ours, img2img.Sampler)
        assert_equal_enough(deployed[task](model, photo), ours(photo), BOUNDS["Python", task])


def test_python_takes_the_picture_where_the_card_says_so(deployed: dict[str, Any], folder: Path) -> None:
    matrix_translator(folder / "drawn.onnx", RED_TO_BLUE, result="picture")
    photo = Image.linear_gradient("L").convert("RGB").resize((100, 70))
    photo.putpixel((5, 5), (255, 0, 0))
    ours = img2img.Translator("drawn.onnx", threads=1)
    assert_equal_enough(deployed["translate"](deployed["Model"]("drawn.onnx"), photo), ours(photo), (0.01, 1))


def in_javascript(folder: Path, models: list[tuple[str, Any]], pictures: dict[str, Image.Image]) -> None:
    """NAME.TASK for each picture: its RGBA."""
    (folder / "img2img.mjs").write_text(block("js"))
    (folder / "driver.mjs").write_text(DRIVER)
    (folder / "node_modules").symlink_to(NODE_MODULES.resolve())
    for name, picture in pictures.items():
        (folder / f"{name}.rgba").write_bytes(picture.convert("RGBA").tobytes())
    sizes = [{"name": name, "width": each.width, "height": each.height} for name, each in pictures.items()]
    (folder / "jobs.json").write_text(json.dumps({"models": models, "photos": sizes}))
    done = subprocess.run(["node", "driver.mjs"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def drawn(folder: Path, name: str, task: str, size: tuple[int, int]) -> np.ndarray:
    values = np.frombuffer((folder / f"{name}.{task}").read_bytes(), np.uint8)
    return values.reshape(size[1], size[0], 4)


@in_node
@pytest.mark.slow
def test_javascript_gives_what_img2img_gives(folder: Path) -> None:
    in_javascript(folder, [("colorize", "COLORIZER"), ("translate", "HORSE2ZEBRA")], dict(photos()))
    for task, name in MODELS.items():
        ours = img2img.load(name, threads=1)
        assert not isinstance(ours, img2img.Sampler)
        for name, photo in photos():
            made = drawn(folder, name, task, photo.size)[..., :3]
            assert_equal_enough(made, ours(photo), BOUNDS["JavaScript", task])


@in_node
def test_javascript_takes_the_picture_where_that_is_the_result_and_keeps_alpha(folder: Path) -> None:
    matrix_translator(folder / "drawn.onnx", RED_TO_BLUE, result="picture")
    photo = Image.linear_gradient("L").convert("RGB").resize((100, 70))
    photo.paste((255, 0, 0), (10, 10, 50, 40))
    seen = Image.merge("RGBA", [*photo.split(), Image.linear_gradient("L").resize(photo.size)])
    model = {"file": "drawn.onnx", "native": 64, "multiple": 16, "result": "picture"}
    in_javascript(folder, [("translate", model)], {"photo": seen})
    made = drawn(folder, "photo", "translate", photo.size)
    assert_equal_enough(made[..., :3], img2img.Translator("drawn.onnx", threads=1)(photo), (0.5, 6))
    np.testing.assert_array_equal(made[..., 3], np.asarray(seen)[..., 3])


@pytest.mark.parametrize(("constant", "name"), [("COLORIZER", "colorizer"), ("HORSE2ZEBRA", "horse2zebra")])
def test_numbers_in_the_javascript_are_the_cards(constant: str, name: str) -> None:
    card = img2img.models()[name]
    (written,) = re.findall(rf"const {constant} = \{{(.+)\}};", DOCUMENT)
    assert f'file: "{name}.onnx", native: {card.native_size}, multiple: {card.size_multiple}' in written
    assert (card.result == "change") == ('result: "change"' in written) or card.task == "colorize"
