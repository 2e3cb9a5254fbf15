"""What a run's folder says of itself, read without torch: its settings, its scalars and its health, step by step."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from img2img.atomic_file import exists, reason_for
from img2img.errors import RunError
from img2img.runs.run_info import CONFIG, STOPPED, read_outline
from img2img.saved_states import state_files

RESTING = 120.0
"""Seconds. Between two records lie 50 steps: of most recipes less than a minute on two cores."""
NOT_SCALARS = ("step", "seconds", "findings")
"""What a record holds beside the figures of its step."""


@dataclass(frozen=True)
class Stretch:
    """A health finding from the first record that has it to the last one in a row; `sentence` is the last one's."""

    name: str
    sentence: str
    first: int
    last: int


@dataclass(frozen=True)
class RunRecords:
    """The records of one run; `stats` and `health` are in the order of their steps, a cut last line left out."""

    path: Path

    @cached_property
    def info(self) -> dict[str, Any]:
        """The recipe's name and the number of its steps; raises RunError when there is no run."""
        return read_outline(self.path)

    @cached_property
    def stats(self) -> list[dict[str, Any]]:
        return read_records(self.path / "stats.jsonl")

    @cached_property
    def health(self) -> list[dict[str, Any]]:
        """What each check found, with its figures and gradient norms beside it; the losses are in `stats`."""
        return [
            {
                "step": record["step"],
                **{f"gradient of {player}": norm for player, norm in record.get("gradient_norms", {}).items()},
                **record.get("figures", {}),
                "findings": record.get("findings", []),
            }
            for record in read_records(self.path / "health.jsonl")
        ]

    @cached_property
    def quality(self) -> list[dict[str, Any]]:
        """What was measured on held-out images; empty for a recipe without such."""
        return read_records(self.path / "quality.jsonl")

    @property
    def reference(self) -> dict[str, float]:
        """What the figures of `quality` lie between, as NAME_floor and NAME_ceiling."""
        return next((record["reference"] for record in self.quality if "reference" in record), {})

    @property
    def best(self) -> dict[str, Any] | None:
        """The record of `quality` with the least `badness`: that of best.pt."""
        return min(self.quality, key=badness, default=None)

    @property
    def step(self) -> int:
        return int(self.stats[-1]["step"]) if self.stats else 0

    @property
    def state(self) -> Literal["done", "running", "stopped"]:
        """A run that was killed does not say so: one that has written nothing for RESTING is taken for stopped."""
        if self.step >= self.info["steps"]:
            return "done"
        if exists(self.path / STOPPED):
            return "stopped"
        files = (self.path / name for name in (CONFIG, "stats.jsonl", "health.jsonl", "quality.jsonl"))
        written = max(map(_written, (*files, *state_files(self.path))))
        return "running" if time.time() - written < RESTING else "stopped"

    @property
    def seconds(self) -> float:
        """How long the recorded steps took, over all sessions."""
        return max((record.get("seconds", 0.0) for record in self.stats), default=0.0)

    @property
    def last_scalars(self) -> dict[str, float]:
        return figures(self.stats[-1]) if self.stats else {}

    @cached_property
    def findings(self) -> list[Stretch]:
        return stretches(self.health)


def badness(quality: Mapping[str, float]) -> float:
    """What the best state has the least of: the KIDs of both ways; of a translator of pairs the Frechet distance."""
    return quality["fd"] if "fd" in quality else quality["kid_ab"] + quality["kid_ba"]


def read_records(path: Path) -> list[dict[str, Any]]:
    """A .jsonl file's whole lines; none when it is missing. Raises RunError for a damaged line."""
    try:
        lines = path.read_text().splitlines(keepends=True) if exists(path) else []
        records = [json.loads(line) for line in lines if line.endswith("\n")]
        return sorted(records, key=lambda record: int(record["step"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path}: {reason_for(error, 'read')}") from error


def _written(path: Path) -> float:
    """When; long ago for a file that is not there, or not any more: a training removes its older states."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def figures(record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a record that are its step's own."""
    return {name: value for name, value in record.items() if name not in NOT_SCALARS and isinstance(value, int | float)}


def quality_words(record: Mapping[str, Any], reference: Mapping[str, float]) -> str:
    """A record of quality in words; in brackets what real images have, and untouched ones, or of pairs the latter."""
    return "  ".join(
        f"{name} {value:.3g} ({' to '.join(f'{level:.3g}' for level in levels(name, reference))})"
        for name, value in figures(record).items()
    )


def levels(name: str, reference: Mapping[str, float]) -> list[float]:
    """What a figure of quality lies between: what real images have, but for pairs, and what untouched ones have."""
    return [reference[key] for key in (f"{name}_floor", f"{name}_ceiling") if key in reference]


def stretches(health: list[dict[str, Any]]) -> list[Stretch]:
    """The findings of consecutive records of one name as one, by their first step."""
    going: dict[str, Stretch] = {}
    ended = []
    for record in health:
        now = {each["name"]: each["sentence"] for each in record.get("findings", ())}
        ended += [going.pop(name) for name in list(going) if name not in now]
        for name, sentence in now.items():
            first = going[name].first if name in going else record["step"]
            going[name] = Stretch(name, sentence, first, record["step"])
    return sorted([*ended, *going.values()], key=lambda each: (each.first, each.name))


def find_runs(folder: Path) -> list[RunRecords]:
    """The runs right below a folder, by name; none when it is missing."""
    return [RunRecords(path.parent) for path in sorted(folder.glob(f"*/{CONFIG}"))]
