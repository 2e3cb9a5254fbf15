"""Everything that a resumed run needs, in one file that is either whole or not there."""

import random
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from img2img.atomic_file import written_at_once
from img2img.errors import RunError
from img2img.training.saved_states import state_file, state_files

KEEP = 3


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

    def save(self, folder: Path, keep: int = KEEP) -> None:
        """Write `state-STEP.pt`, then drop all but the newest `keep`."""
        target = state_file(folder, self.step)
        with written_at_once(target) as file:
            torch.save({field.name: getattr(self, field.name) for field in fields(self)}, file)
        others = [path for path in state_files(folder) if path != target]  # damaged newer ones may be among them
        for old in others[: max(0, len(others) - (keep - 1))]:
            old.unlink()


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
    states = state_files(folder)
    for path in reversed(states):
        try:
            return TrainState(**torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # a cut file fails in torch, zipfile or pickle alike
            warnings.warn(f"{path}: damaged ({type(error).__name__}) and passed over", stacklevel=2)
    if not states:
        raise RunError(f"{folder}: no state in there (not a run's folder, or nothing saved yet)")
    unreadable = "its only state cannot" if len(states) == 1 else f"none of its {len(states)} states can"
    raise RunError(f"{folder}: {unreadable} be read: start again with another --out, or delete state-*.pt in there")
