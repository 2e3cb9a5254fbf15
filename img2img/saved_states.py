"""Which states a run's folder holds, told by their names alone, and where its exported model lies."""

from pathlib import Path

from img2img.atomic_file import is_folder
from img2img.errors import RunError

KEEP = 3
"""States that stay in a run's folder."""


def state_files(folder: Path) -> list[Path]:
    """The states in a run's folder, oldest first."""
    if not is_folder(folder):  # a name that cannot be one would raise in `glob`
        return []
    return sorted(path for path in folder.glob("state-*.pt") if _number(path).isdecimal())


def unfinished_states(folder: Path) -> list[Path]:
    """What processes left that ended while they wrote a state: files as large as that, which nobody sees."""
    return [*folder.glob(".state-*.pt.*.part"), *folder.glob(f".{best_file(folder).name}.*.part")]


def refuse_without_state(folder: Path) -> None:
    """Raises RunError for a folder that holds no state."""
    if not state_files(folder):
        raise RunError(f"{folder}: no state in there (not a run's folder, or nothing saved yet)")


def state_file(folder: Path, step: int) -> Path:
    """Where the state after `step` steps is saved."""
    return folder / f"state-{step:08d}.pt"


def best_file(folder: Path) -> Path:
    """Where the best state is kept, of a run whose quality is measured."""
    return folder / "best.pt"


def exported_folder(folder: Path) -> Path:
    """Where the model files lie that were made of a run because it was named as a model."""
    return folder / "exported"


def state_step(path: Path) -> int:
    """After how many steps a state was saved."""
    return int(_number(path))


def _number(path: Path) -> str:
    return path.stem.removeprefix("state-")


def stopping_place(folder: Path, step: int) -> str:
    """What a person who stopped a run at `step` should know: what is saved, and how to go on."""
    states = state_files(folder)
    if not states:
        return f"stopped at step {step:,}: nothing was saved yet"
    saved = state_step(states[-1])
    if saved == step:
        return f"stopped at step {step:,}: saved in {folder}; --resume goes on"
    return f"stopped at step {step:,}: {folder} holds the state of step {saved:,}; --resume goes on from there"
