"""The fitted directions of a model, as JSON beside it, and as a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from img2img.atomic_file import why_not, write_at_once
from img2img.errors import ModelError, UsageError
from img2img.generation.directions import Direction, Fit
from img2img.lab import Floats
from img2img.model_file import ModelCard, find_model

FORMAT = 1


def directions_path(model: str) -> Path:
    """Where a model's directions lie: RUN/directions.json, or MODEL.directions.json beside the file."""
    if Path(model).is_dir():
        return Path(model) / "directions.json"
    return find_model(model).with_suffix(".directions.json")


def stored_directions(model: str, path: Path | None, card: ModelCard) -> Directions:
    """The directions in `path`, or those beside the model; ModelError when they are of another model than `card`'s."""
    path = path or directions_path(model)
    directions = Directions.read(path)
    if directions.model_sha256 != card.sha256:
        raise ModelError(f"{path}: fitted to another model: `img2img directions fit --model {model}` fits them again")
    return directions


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
        choices = ", ".join(direction.name for direction in self.fit.directions)
        raise UsageError(f"no direction {name!r} was fitted for {self.model}; choose one of {choices or 'none'}")

    def save(self, path: Path) -> None:
        try:
            write_at_once(path, json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode())
        except OSError as error:
            raise ModelError(f"{path}: {why_not(error, 'written')}") from error

    @classmethod
    def read(cls, path: Path) -> Directions:
        """Whatever model they are for; raises ModelError when the file is missing or damaged."""
        try:
            return _directions(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ModelError(f"{path}: no directions yet: `img2img directions fit --model MODEL` finds them") from None
        except OSError as error:
            raise ModelError(f"{path}: {why_not(error, 'read')}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{path}: holds no directions ({error}): fit them again") from None

    def table(self) -> str:
        """A row a direction: R^2, then by how many deviations a step of 1 along it moved each property."""
        names = [direction.name for direction in self.fit.directions]
        widths = [max(7, len(name)) + 2 for name in names]
        first = max(map(len, [*names, "direction"]))
        lines = ["direction".ljust(first) + "    R2" + "".join(map(str.rjust, names, widths))]
        for direction, row in zip(self.fit.directions, self.fit.changes, strict=True):
            cells = (f"{change:+.2f}".rjust(width) for change, width in zip(row, widths, strict=True))
            lines.append(direction.name.ljust(first) + f"{direction.r2:6.2f}" + "".join(cells))
        return "\n".join(
            [*lines, *self.notes, *(f"{name}: left out: {why}" for name, why in self.fit.left_out.items())]
        )


def _directions(values: dict[str, Any]) -> Directions:
    if values.pop("format") != FORMAT:
        raise ValueError("made by another version of img2img")
    fit = values.pop("fit")
    directions = tuple(Direction(**{**one, "vector": tuple(map(float, one["vector"]))}) for one in fit["directions"])
    changes = tuple(tuple(map(float, row)) for row in fit["changes"])
    return Directions(**{**values, "notes": tuple(values["notes"])}, fit=Fit(directions, changes, fit["left_out"]))
