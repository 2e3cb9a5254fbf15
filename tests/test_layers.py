"""What import-linter (see pyproject.toml) does not see: modules named in strings, and what real processes import."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import DrawPhoto
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "img2img"
TRAINING_ONLY = {
    "torch",
    "torchvision",
    "kornia",
    "albumentations",
    "safetensors",
    "onnx",
    "onnxscript",
    "sklearn",
    "torchmetrics",
}
BY_NAME = {
    "__init__.py": {
        *("img2img.batch", "img2img.conversion", "img2img.errors", "img2img.inference", "img2img.model_file"),
        *("img2img.photo", "img2img.version"),
    },
    "recipes/__init__.py": {"img2img.recipes"},
    "networks/imagenet/encoder.py": set[str](),
    "photo/formats.py": set[str](),
    "plotting.py": set[str](),
}
"""Where modules are imported by a name in a string, which no linter sees; and the rooms of ours that it may name."""


def module_imports(path: Path) -> Iterator[str]:
    """Dotted names that are imported when the file itself is."""
    for node in _outside_functions(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}"


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not typing_only and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _outside_functions(child)


def imports_by_name(tree: ast.AST) -> bool:
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in called)
    return not {"import_module", "__import__"}.isdisjoint(names)


def test_modules_are_imported_by_name_where_we_know_of_it() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if imports_by_name(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == BY_NAME.keys()


@pytest.mark.parametrize("name", BY_NAME)
def test_modules_imported_by_name_are_there_and_not_above(name: str) -> None:
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {text for text in strings if re.fullmatch(r"img2img(\.\w+)+", text)}
    assert {".".join(text.split(".")[:2]) for text in named} == BY_NAME[name]
    assert all(find_spec(text) for text in named)


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").rglob("*.py")), ids=lambda path: path.name)
def test_commands_are_light_to_import(path: Path) -> None:
    heavy = {"numpy", "PIL", "onnxruntime", "rich"} | TRAINING_ONLY
    assert not {name.split(".")[0] for name in module_imports(path)} & heavy


def imported_by(words: list[str], folder: Path) -> set[str]:
    """The top-level modules that a real process holds after the command."""
    program = (
        "import json, sys\n"
        f"sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from img2img.cli.app import main\n"
        f"sys.argv = ['img2img', *{words!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "finally: open('modules.json', 'w').write(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in json.loads((folder / "modules.json").read_text())}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["colorize", "--help"],
        ["translate", "--help"],
        ["suggest", "--help"],
        ["train", "--help"],
        ["generate", "--help"],
        ["data", "--help"],
        ["evaluate", "--help"],
        ["import", "--help"],
        ["runs", "--help"],
        ["provenance", "--help"],
        ["serve", "--help"],
    ],
)
def test_help_imports_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    heavy = {"numpy", "PIL", "onnxruntime", "rich", "starlette", "uvicorn"} | TRAINING_ONLY
    assert not imported_by(words, tmp_path) & heavy


def test_models_imports_no_training_half(tmp_path: Path, tiny_model: Path) -> None:
    for words in (["models"], ["models", "show", str(tiny_model)]):
        assert not imported_by(words, tmp_path) & TRAINING_ONLY


def test_colorize_imports_only_what_it_uses(tmp_path: Path, tiny_model: Path, draw_photo: DrawPhoto) -> None:
    photo = draw_photo(tmp_path / "photo.jpg")
    imported = imported_by(["colorize", str(photo), "--model", str(tiny_model)], tmp_path)
    assert (tmp_path / "photo.colorized.jpg").is_file()
    assert not imported & (TRAINING_ONLY | {"rich", "sqlite3", "tifffile", "png", "scipy", "cv2"})


def test_shipped_models_and_paths_need_no_look_at_those_that_were_added(
    tmp_path: Path, tiny_model: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = draw_photo(tmp_path / "photo.jpg")
    monkeypatch.delenv("IMG2IMG_HOME")
    for model in ("colorizer", str(tiny_model)):
        imported = imported_by(["colorize", str(photo), "--model", model, "--overwrite"], tmp_path)
        assert not imported & {"platformdirs", "http", "socket"}


def test_translate_imports_only_what_it_uses(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    photo = draw_photo(tmp_path / "photo.jpg")
    for name, back in (("a2b", "b2a"), ("b2a", "a2b")):
        matrix_translator(tmp_path / f"{name}.onnx", NEGATIVE, reverse=back)
    words = ["translate", str(photo), "--model", str(tmp_path / "a2b.onnx"), "--cycle"]
    imported = imported_by(words, tmp_path)
    assert (tmp_path / "photo.a2b.cycle.jpg").is_file()
    assert not imported & (TRAINING_ONLY | {"rich", "tifffile", "png", "scipy", "cv2"})


def test_generate_imports_only_what_it_uses(tmp_path: Path) -> None:
    model = linear_sampler(tmp_path / "sampler.onnx", flat(0.1, 0.2))
    used = imported_by(["directions", "fit", "--model", str(model), "-n", "20"], tmp_path)
    used |= imported_by(["generate", "--model", str(model), "--direction", "brightness=1"], tmp_path)
    assert (tmp_path / "samples.png").is_file()
    assert not used & (TRAINING_ONLY | {"rich", "scipy", "cv2"})


def test_data_check_imports_no_training_half(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    draw_photo(tmp_path / "set" / "photo.jpg")
    assert not imported_by(["data", "check", "set"], tmp_path) & (TRAINING_ONLY | {"cv2", "scipy", "matplotlib"})


def test_no_public_name_stands_twice() -> None:
    """A command may be called as the function that it calls: `img2img generate`."""
    places: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        for public in set(public_names(ast.parse(path.read_text(encoding="utf-8")))):
            places.setdefault(public, []).append(name)
    twice = {name: paths for name, paths in places.items() if len([p for p in paths if not p.startswith("cli/")]) > 1}
    aliases = {name: paths for name, paths in places.items() if name[0].isupper() and len(paths) > 1}
    assert {**twice, **aliases} == {}


def public_names(module: ast.Module) -> Iterator[str]:
    """Of the functions, the classes and the types in a module; constants belong to theirs."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if re.fullmatch(r"[A-Z]+[a-z]\w*", name):
                yield name
