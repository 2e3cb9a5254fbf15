"""The model file of a run: exported beside it when the run is first named as a model, and again once it has gone on.

The export needs PyTorch, which nothing that converts photos may bring: so it is a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

from img2img.atomic_file import is_file, reason_for, write_at_once
from img2img.errors import ModelError
from img2img.model_file import is_run, named_model
from img2img.recipes import RECIPES
from img2img.saved_states import best_file, exported_folder, state_files, state_step

_log = logging.getLogger(__name__)

MADE_OF = "made-of.json"
"""Beside the exported files: which state they were made of."""


def settled_model(model: str | os.PathLike[str], task: str | None = None) -> str:
    """The model file of a run's folder, RUN/exported/RUN.onnx; a model's name, and any other path, as it is.

    It is made of the run's best state, or its newest where no quality was measured. Callers settle a model once, so
    that a run that goes on meanwhile does not become two models. ModelError for a run without a state, for one of
    another task, and where it must be exported and cannot be.
    """
    run = Path(model)
    if not names_a_run(model):
        return os.fspath(model)
    if task:
        check_task_of_run(run, task)
    return str(_exported(run))


def names_a_run(model: str | os.PathLike[str]) -> bool:
    """Whether it is a run's folder, whose model may have to be exported first: callers check all else before that."""
    return is_run(Path(model)) and not named_model(os.fspath(model))


def recipe_of_run(run: Path) -> str:
    """Its name, which may be none of ours. Raises ModelError where nothing says what was trained."""
    try:
        return str(json.loads((run / "config.json").read_bytes())["recipe"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{run}: its config.json is damaged, so nothing says what it trained") from None


def _exported(run: Path) -> Path:
    state = _state_to_export(run)
    target = exported_folder(run) / f"{run.resolve().name}.onnx"
    made_of = {"state": state.name, "content": _content_sum(state)}
    if not is_file(target):
        _check_can_export(run)
    elif made_of == _record(target):
        return target
    elif not _has_torch():
        warnings.warn(
            f"{run}: has gone on ({_called(state)}) since its model was exported, and PyTorch, which exporting needs, "
            "is not installed: the earlier export is used",
            stacklevel=2,
        )
        return target
    _log.info("exporting %s (%s) to %s, which can take a minute ...", run, _called(state), target)
    _export(run, target)
    _write(target.with_name(MADE_OF), made_of)
    return target


def _state_to_export(run: Path) -> Path:
    """The one that `img2img export` takes."""
    best, states = best_file(run), state_files(run)
    if not states and not is_file(best):
        raise ModelError(f"{run}: a run's folder with no saved state in it yet: train on, or give an .onnx file")
    return best if is_file(best) else states[-1]


def _called(state: Path) -> str:
    return "its best state" if state.stem == "best" else f"step {state_step(state):,}"


def _content_sum(state: Path) -> str:
    """Differs for states that differ, and outlives a copy: PyTorch's files are ZIPs, whose directory has CRCs of all.

    That is read in a moment, which a state of half a gigabyte is not.
    """
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(state) as parts:
            content = [(part.filename, part.CRC, part.file_size) for part in parts.infolist()]
    except (BadZipFile, OSError):  # damaged: the export will say so, and take the one before
        content = [("", 0, state.stat().st_size)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _record(target: Path) -> object:
    try:
        return json.loads(target.with_name(MADE_OF).read_bytes())
    except (OSError, ValueError):  # an export that did not end
        return None


def check_task_of_run(run: Path, task: str) -> None:
    """Raises ModelError for a run whose model is for another task."""
    recipe = recipe_of_run(run)
    entry = RECIPES.get(recipe)
    if entry and entry.task != task:
        raise ModelError(f"{run}: a run of {recipe}, whose model is for `img2img {entry.task}`, not for {task!r}")


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _check_can_export(run: Path) -> None:
    if not _has_torch():
        raise ModelError(
            f"{run}: this run is not exported yet, and exporting needs PyTorch: pip install '.[train]' in img2img's "
            f"checkout; or run `img2img export {run} -o NAME.onnx` where PyTorch is, and give NAME.onnx here"
        )


def _export(run: Path, target: Path) -> None:
    """Raises ModelError with what the command says; its warnings are ours."""
    try:
        target.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"{target.parent}: {reason_for(error, 'written')}; or `img2img export {run} -o NAME.onnx`, and give "
            "NAME.onnx"
        ) from None
    done = _img2img("export", "--overwrite", "-o", str(target), "--", str(run))
    lines = done.stderr.splitlines()
    if done.returncode:
        last = lines[-1].removeprefix("Error: ") if lines else f"the process ended with {done.returncode}"
        raise ModelError(f"{run}: its model could not be exported: {last}")
    for line in lines:
        if line.startswith("Warning: "):
            warnings.warn(line.removeprefix("Warning: "), stacklevel=2)


def _img2img(*words: str) -> subprocess.CompletedProcess[str]:
    """The command, from where this package lies, and with nothing from the folder that a person happens to be in."""
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-P", "-m", "img2img", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )


def _write(record: Path, made_of: dict[str, str]) -> None:
    try:
        write_at_once(record, json.dumps(made_of).encode())
    except OSError as error:
        raise ModelError(f"{record}: {reason_for(error, 'written')}") from None
