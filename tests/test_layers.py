"""Imports point one way, and the commands for photos never import the training half."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DrawPhoto
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "img2img"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")

# A module may import from its own row and the rows below; what is named in none is in the last but one.
ROWS = (
    {"cli", "__main__"},
    {"batch", "video", "training", "evaluation", "export", "onnx_graph", "generation", "serving"},
    {"recipes", "inference"},
    set[str](),
    {"errors"},
)
BASE_ROW = 3
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
TORCH_PARTS = {"networks", "losses", "randomness", "recipes", "training", "evaluation", "export", "onnx_graph"}
TORCH_FILES = {"inference/torch_runtime.py", "cli/train.py", "cli/export.py", "cli/evaluate.py"}


def row(part: str) -> int:
    return next((number for number, parts in enumerate(ROWS) if part in parts), BASE_ROW)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, anywhere: bool = True) -> Iterator[str]:
    """Dotted names that a file imports: all of them, or those that run when the file itself is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if anywhere else _outside_functions(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not typing_only and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _outside_functions(child)


def ours(path: Path) -> set[str]:
    """The parts of img2img that a file imports; `from img2img import __version__` is none."""
    names = (name.split(".") for name in imports(path) if name.startswith("img2img."))
    return {name[1] for name in names if name[1] != "__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    upward = {part for part in ours(path) if row(part) < row(part_of(path))}
    assert not upward, f"{path} imports from above itself"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_networks_and_losses_know_nothing_of_ours(path: Path) -> None:
    if part_of(path) in {"networks", "losses"}:
        assert ours(path) <= {"networks", "losses"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_converting_half_never_names_the_training_half(path: Path) -> None:
    if part_of(path) in TORCH_PARTS or path.relative_to(PACKAGE).as_posix() in TORCH_FILES:
        return
    assert not {name.split(".")[0] for name in imports(path)} & TRAINING_ONLY


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda path: path.name)
def test_commands_are_light_to_import(path: Path) -> None:
    heavy = {"numpy", "PIL", "onnxruntime", "rich"} | TRAINING_ONLY
    assert not {name.split(".")[0] for name in imports(path, anywhere=False)} & heavy


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
        ["train", "--help"],
        ["generate", "--help"],
        ["data", "--help"],
        ["evaluate", "--help"],
        ["runs", "--help"],
    ],
)
def test_help_imports_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    heavy = {"numpy", "PIL", "onnxruntime", "rich"} | TRAINING_ONLY
    assert not imported_by(words, tmp_path) & heavy


def test_models_imports_no_training_half(tmp_path: Path, tiny_model: Path) -> None:
    for words in (["models"], ["models", "show", str(tiny_model)]):
        assert not imported_by(words, tmp_path) & TRAINING_ONLY


def test_colorize_imports_only_what_it_uses(tmp_path: Path, tiny_model: Path, draw_photo: DrawPhoto) -> None:
    photo = draw_photo(tmp_path / "photo.jpg")
    imported = imported_by(["colorize", str(photo), "--model", str(tiny_model)], tmp_path)
    assert (tmp_path / "photo.colorized.jpg").is_file()
    assert not imported & (TRAINING_ONLY | {"rich", "tifffile", "png", "scipy", "cv2"})


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
