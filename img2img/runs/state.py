"""Everything that a resumed run needs, in one file that is either whole or not there."""

import random
import warnings
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import RunError
from img2img.saved_states import KEEP, best_file, refuse_without_state, state_file, state_files


@dataclass
class TrainState:
    """A run after `step` steps; loads with `weights_only=True`, so a state from a stranger runs no code."""

    recipe: str
    config: dict[str, Any]
    seed: int
    step: int
    samples: int
    networks: dict[str, Any]
    optimizers: dict[str, Any]
    ema: dict[str, Any]
    torch_rng: torch.Tensor
    python_rng: list[Any]
    quality: dict[str, float] = field(default_factory=dict)
    """What was measured of the best state; empty in others."""

    def save(self, folder: Path, keep: int = KEEP) -> None:
        """Write `state-STEP.pt`, then drop all but the newest `keep`; raises RunError when it cannot be written."""
        target = state_file(folder, self.step)
        self._write(target)
        others = [path for path in state_files(folder) if path != target]  # damaged newer ones may be among them
        for old in others[: max(0, len(others) - (keep - 1))]:
            old.unlink(missing_ok=True)  # somebody may tidy up, too

    def save_best(self, folder: Path) -> None:
        """Write `best.pt` in the place of the one before; raises RunError when it cannot be written."""
        self._write(best_file(folder))

    def _write(self, target: Path) -> None:
        try:
            with written_at_once(target) as file:
                torch.save({field.name: getattr(self, field.name) for field in fields(self)}, file)
        except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
            cause = error.__context__ if isinstance(error.__context__, OSError) else error
            raise RunError(
                f"{target.parent}: no state could be saved at step {self.step}: {reason_for(cause, 'written')}; "
                "the states before are whole: --resume goes on from them"
            ) from error


def python_rng_state() -> list[Any]:
    """Python's generator as plain lists, which `weights_only` loading takes."""
    version, internal, gauss = random.getstate()
    return [version, list(internal), gauss]


def restore_python_rng(state: list[Any]) -> None:
    version, internal, gauss = state
    random.setstate((version, tuple(internal), gauss))


def load_latest(folder: Path) -> TrainState:
    """The newest state that can be read; a damaged one is passed over with a warning.

    Raises RunError when the folder holds none, or none that can be read.
    """
    refuse_without_state(folder)
    states = state_files(folder)
    for path in reversed(states):
        try:
            return _load(path)
        except Exception as error:  # a cut file fails in torch, zipfile or pickle alike
            warnings.warn(f"{path}: damaged ({type(error).__name__}) and passed over", stacklevel=2)
    unreadable = "its only state cannot" if len(states) == 1 else f"none of its {len(states)} states can"
    raise RunError(f"{folder}: {unreadable} be read: start again with another --out, or delete state-*.pt in there")


def load_best(folder: Path) -> TrainState:
    """The state of the best quality that was measured; raises RunError when there is none, or none that can be read."""
    path = best_file(folder)
    if not path.exists():
        raise RunError(f"{folder}: no {path.name} in there (not a run's folder, or its quality was never measured)")
    try:
        return _load(path)
    except Exception as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}): delete it, and the next best state takes its place"
        ) from error


def _load(path: Path) -> TrainState:
    return TrainState(**torch.load(path, map_location="cpu", weights_only=True))
