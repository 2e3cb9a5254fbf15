"""What a run's config.json holds, and its one reader."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from img2img.errors import RunError

CONFIG = "config.json"
STOPPED = "stopped"
"""An empty file beside it, while a run rests that was stopped before its last step."""


@dataclass(frozen=True)
class RunInfo:
    """What `config.json` holds: enough to start the same run again."""

    recipe: str
    config: dict[str, Any]
    seed: int
    data: list[str]
    init: str | None
    command: str
    versions: dict[str, str]
    hardware: str
    domains: dict[str, list[str]] = field(default_factory=dict)
    """What `data` means for each domain of the recipe; empty in the record of an older run, which has one."""
    images: int = 0
    """In all domains together, those that are held out as well."""
    classes: list[str] = field(default_factory=list)
    """Names of the labels in the data, in their order; empty when it has none."""
    processes: int = 1
    cache: str = "auto"
    """Where the decoded images are kept; a run that goes on keeps to it, since crops from a cache are others."""
    direction: Literal["a2b", "b2a"] | None = None
    """Which side of its pairs becomes the other; None without pairs, and in the record of an older run."""


def read_info(run: Path) -> RunInfo:
    """All of it; raises RunError when there is no run."""
    try:
        return RunInfo(**_values(run))
    except TypeError as error:
        raise _no_run(run) from error


def read_outline(run: Path) -> dict[str, Any]:
    """The "recipe" and the number of its "steps" alone, whatever version wrote the rest; raises RunError likewise."""
    try:
        values = _values(run)
        outline = {"recipe": values["recipe"], "steps": values["config"]["steps"]}
        if not (isinstance(outline["recipe"], str) and isinstance(outline["steps"], int)):
            raise TypeError("a recipe's name and a number of steps")
    except (TypeError, KeyError) as error:
        raise _no_run(run) from error
    return outline


def _values(run: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads((run / CONFIG).read_text())
        return values
    except (OSError, ValueError) as error:
        raise _no_run(run) from error


def _no_run(run: Path) -> RunError:
    return RunError(f"{run}: not a run's folder (no readable {CONFIG} in it)")
