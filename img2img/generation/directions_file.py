"""The fitted directions of a model, as JSON beside it, and as a table."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from img2img.atomic_file import is_folder, reason_for, write_at_once
from img2img.choices import meant_or_all
from img2img.errors import ModelError, UsageError
from img2img.generation.directions import LEAST_R2, Direction, Fit
from img2img.lab import Floats
from img2img.model_file import ModelCard, find_model
from img2img.text_table import text_list, text_table, wrapped_line

FORMAT = 2  # 1 had signed changes off the diagonal
WHAT_IT_SHOWS = (
    "a step of 1 along a row moved each column by, in deviations: the mean on the diagonal, mean |change| off it"
)


def directions_path(model: str) -> Path:
    """Where a model's directions lie: RUN/directions.json, or MODEL.directions.json beside the file."""
    if is_folder(Path(model)):
        return Path(model) / "directions.json"
    return find_model(model).with_suffix(".directions.json")


def stored_directions(model: str, path: Path | None, card: ModelCard) -> Directions:
    """The directions in `path`, or those beside the model; ModelError when they are of another model than `card`'s."""
    fit_again = f"`img2img directions fit --model {model}{f' -o {path}' if path else ''}`"
    path = path or directions_path(model)
    directions = Directions.read(path, fit_again)
    if directions.model_sha256 != card.sha256:
        raise ModelError(f"{path}: fitted to another model: {fit_again} fits them again")
    sizes = {len(direction.vector) for direction in directions.fit.directions}
    if sizes - {card.inputs[0].shape[1]}:
        raise ModelError(f"{path}: damaged (vectors of another length than the latents): {fit_again} fits them again")
    return directions


def holds_directions(path: Path) -> bool:
    """Whether a file is there that `Directions.save` wrote, of any version and for any model."""
    try:
        return {"format", "model_sha256", "fit"} <= set(json.loads(path.read_text(encoding="utf-8")).keys())
    except (OSError, ValueError, AttributeError):
        return False


@dataclass(frozen=True)
class Directions:
    """A fit, with what it was made of. `model_sha256` is that of the model's card; `notes` say what was left out."""

    model: str
    model_sha256: str
    seed: int
    n: int
    fit: Fit
    notes: tuple[str, ...] = ()

    def step(self, name: str) -> Floats:
        """(D,): what an amount of 1 along a direction adds to z; UsageError lists the names."""
        for direction in self.fit.directions:
            if direction.name == name:
                return direction.step()
        if name in self.fit.left_out:
            raise UsageError(f"{self.model}: no direction for {name}: {self.fit.left_out[name]}")
        fitted = [direction.name for direction in self.fit.directions]
        raise UsageError(f"no direction {name!r} was fitted for {self.model}; {meant_or_all(name, fitted)}")

    def save(self, path: Path) -> None:
        try:
            write_at_once(path, json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode())
        except OSError as error:
            raise ModelError(f"{path}: {reason_for(error, 'written')}") from error

    @classmethod
    def read(cls, path: Path, fit_again: str) -> Directions:
        """Whatever model they are for; raises ModelError when the file is missing or damaged.

        `fit_again` is the command that writes it, for the message.
        """
        try:
            return _directions(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ModelError(f"{path}: no directions yet: {fit_again} finds them") from None
        except OSError as error:
            raise ModelError(f"{path}: {reason_for(error, 'read')}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{path}: holds no directions ({error}): {fit_again} fits them again") from None

    def table(self) -> str:
        """A row a direction: R^2, then `Fit.changes`; below, what the figures are and which properties have none."""
        fit = self.fit
        left_out = text_list([(f"  {name}:", why) for name, why in fit.left_out.items()], gap=1)
        without = ["without a direction:", left_out] if fit.left_out else []
        notes = [wrapped_line(note) for note in self.notes]
        if not fit.directions:
            why = f"no straight line in z explains a share of {LEAST_R2:g} or more of any property"
            return "\n".join([wrapped_line(f"{self.model}: no direction was found: {why}"), *notes, *without])
        names = [direction.name for direction in fit.directions]
        rows = []
        for place, (direction, changes) in enumerate(zip(fit.directions, fit.changes, strict=True)):
            texts = [f"{change:+.2f}" if column == place else f"{change:.2f}" for column, change in enumerate(changes)]
            rows.append([direction.name, f"{direction.r2:.2f}", *texts])
        shown = text_table(["direction", "R2", *names], rows)
        return "\n".join([shown, wrapped_line(WHAT_IT_SHOWS), *notes, *without])


def _directions(values: dict[str, Any]) -> Directions:
    if values.pop("format") != FORMAT:
        raise ValueError("made by another version of img2img")
    fit = values.pop("fit")
    directions = tuple(map(_direction, fit["directions"]))
    changes = tuple(tuple(map(float, row)) for row in fit["changes"])
    if [len(directions)] * len(directions) != [len(row) for row in changes]:
        raise ValueError(f"{len(directions)} directions, and changes of another shape")
    left_out = {str(name): str(why) for name, why in fit["left_out"].items()}
    return Directions(**{**values, "notes": tuple(map(str, values["notes"]))}, fit=Fit(directions, changes, left_out))


def _direction(values: dict[str, Any]) -> Direction:
    numbers = {name: float(values[name]) for name in ("length", "r2", "mean", "deviation")}
    vector = tuple(map(float, values["vector"]))
    if not all(map(math.isfinite, [*numbers.values(), *vector])):
        raise ValueError("a number that is none")
    return Direction(name=str(values["name"]), unit=str(values["unit"]), vector=vector, **numbers)
