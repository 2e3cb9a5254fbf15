"""The public names: all there, imported when first used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_model import tiny_model, write_tiny_model
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator

import img2img
from img2img import errors


@pytest.mark.parametrize("name", img2img.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(img2img, name) is not None
    assert name in dir(img2img)


def test_every_error_is_public() -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert ours <= set(img2img.__all__)
    assert all(getattr(img2img, name) is getattr(errors, name) for name in ours)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        img2img.lod  # noqa: B018


def test_version_is_the_one_in_pyproject() -> None:
    checkout = Path(__file__).parent.parent
    text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    (written,) = re.findall(r'^version = "(.+)"$', text, flags=re.MULTILINE)
    assert img2img.__version__ == written
    # Run there, where nobody need have installed it.
    code = "from img2img.version import checkout_version; print(checkout_version())"
    run = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == written


def test_importing_the_package_imports_nothing_of_weight() -> None:
    heavy = {"torch", "numpy", "PIL", "onnxruntime", "typer", "rich", "importlib.metadata", "pathlib"}
    code = "import sys; before = set(sys.modules); import img2img; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())


def test_critic_is_no_model_to_load_and_the_error_names_those_it_judges_for() -> None:
    with pytest.raises(img2img.ModelError, match="scores photos for horse2zebra and zebra2horse: load one of these"):
        img2img.load("horse2zebra-critic")


def test_load_gives_the_object_for_the_models_task(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx", tiny_model(0, 0))
    assert isinstance(img2img.load(str(path), device="cpu", threads=1), img2img.Colorizer)
    path = linear_sampler(tmp_path / "sampler.onnx", flat(0.1))
    assert isinstance(img2img.load(str(path), device="cpu", threads=1), img2img.Sampler)
    path = matrix_translator(tmp_path / "translator.onnx", NEGATIVE)
    assert isinstance(img2img.load(str(path), device="cpu", threads=1), img2img.Translator)


def test_load_takes_a_runtime(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx", tiny_model(0, 0))
    assert isinstance(img2img.load(str(path), runtime="onnxruntime"), img2img.Colorizer)
    sampler, translator = tmp_path / "sampler.onnx", tmp_path / "translator.onnx"
    linear_sampler(sampler, flat(0.1))
    matrix_translator(translator, NEGATIVE)
    for each in (path, sampler, translator):
        with pytest.raises(img2img.UsageError, match="no runtime 'fast'"):
            img2img.load(str(each), runtime="fast")
