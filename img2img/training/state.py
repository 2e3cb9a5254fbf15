"""Everything that a resumed run needs, in one file that is either whole or not there."""

import random
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from img2img.atomic_file import written_at_once
from img2img.errors import RunError

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
        target = folder / f"state-{self.step:08d}.pt"
        with written_at_once(target) as file:
            torch.save({field.name: getattr(self, field.name) for field in fields(self)}, file)
        for old in state_files(folder)[:-keep]:
            old.unlink()


def python_rng_state() -> list[Any]:
    """Python's generator as plain lists, which `weights_only` loading takes."""
    version, internal, gauss = random.getstate()
    return [version, list(internal), gauss]


def restore_python_rng(state: list[Any]) -> None:
    version, internal, gauss = state
    random.setstate((version, tuple(internal), gauss))


def state_files(folder: Path) -> list[Path]:
    """The states in a run's folder, oldest first."""
    return sorted(folder.glob("state-*.pt"))


def state_step(path: Path) -> int:
    """After how many steps a state was saved."""
    return int(path.stem.removeprefix("state-"))


def load_latest(folder: Path) -> TrainState:
    """The newest state that can be read; a damaged one is passed over with a warning.

    Raises RunError when the folder holds none.
    """
    for path in reversed(state_files(folder)):
        try:
            return TrainState(**torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # a cut file fails in torch, zipfile or pickle alike
            warnings.warn(f"{path}: damaged ({type(error).__name__}); using the state before it", stacklevel=2)
    raise RunError(f"{folder}: no state to go on from; start the run without --resume")
