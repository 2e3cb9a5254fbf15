"""The model file of a run that draws: exported when it is first asked for."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

from img2img.atomic_file import is_folder
from img2img.errors import ModelError, RunError
from img2img.runs.saved_states import state_file, state_files

_log = logging.getLogger(__name__)

TOLERANCE = 0.05  # grey levels of 255 by which the exported graph may drift from PyTorch


def sampler_file(model: str) -> str:
    """A model's name or file as it is; of a run's folder the sampler of its newest state, exported if need be."""
    return str(_sampler_of(Path(model))) if is_folder(Path(model)) else model


def _sampler_of(run: Path) -> Path:
    """RUN/sampler-STEP.onnx of the newest state that can be read; only reading a state imports PyTorch."""
    states = state_files(run)
    if not states:
        raise RunError(f"{run}: no saved state in it, so nothing to draw with: give a run's folder or an .onnx file")
    if not _is_exported(states[-1]):
        _check_draws(run)
        state = _readable_state(run)
        if not _is_exported(state):
            _export(run, _file_for(state))
        return _file_for(state)
    return _file_for(states[-1])


def _file_for(state: Path) -> Path:
    return state.with_name(f"sampler-{state.stem.removeprefix('state-')}.onnx")


def _is_exported(state: Path) -> bool:
    """A sampler older than its state was made from another run's state of the same step."""
    target = _file_for(state)
    return target.is_file() and target.stat().st_mtime_ns >= state.stat().st_mtime_ns


def _check_draws(run: Path) -> None:
    from img2img.recipes import recipe_class
    from img2img.runs.run_folder import RunFolder

    name = RunFolder(run).read_info().recipe
    if recipe_class(name).task != "generate":
        raise ModelError(f"{run}: a run of {name}, which converts photos: only a run that draws from noise fits here")


def _readable_state(run: Path) -> Path:
    """The newest state that is not damaged; a warning names those passed over."""
    from img2img.runs.state import load_latest

    return state_file(run, load_latest(run).step)


def _export(run: Path, target: Path) -> None:
    from img2img.export.models_of_run import export_run

    _log.info("exporting %s to %s", run, target.name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*: damaged")  # said already
        export_run(run, target, tolerance=TOLERANCE)
