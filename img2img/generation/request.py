"""What `img2img generate` can be asked for, and which wishes contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from img2img.atomic_file import exists, is_folder
from img2img.errors import UsageError
from img2img.generation.picture_file import ANIMATED, STILL


@dataclass(frozen=True)
class Sweep:
    """A row of pictures a sample, moved along the direction `name` by amounts from `first` to `last`."""

    name: str
    first: float
    last: float


@dataclass(frozen=True)
class DrawingRequest:
    """`model` is a model's name, its file or a run's folder; what is None is chosen to fit the model.

    `seed` None is 0. `interpolate`: two seeds, the ends of a walk. `per_class`: pictures of each class, into the
    folder `target`. `moves`: how far to go along each direction, in standard deviations of what it moves.
    `directions`: their file, where it does not lie beside the model. `provenance`: whether pictures say how they were
    made.
    """

    model: str
    target: Path | None = None
    count: int | None = None
    label: str | None = None
    seed: int | None = None
    truncation: float | None = None
    like: Path | None = None
    interpolate: tuple[int, int] | None = None
    sweep: Sweep | None = None
    frames: int | None = None
    per_class: int | None = None
    moves: Mapping[str, float] = field(default_factory=dict)
    directions: Path | None = None
    columns: int | None = None
    scale: int = 1
    overwrite: bool = False
    device: str = "auto"
    provenance: bool = True

    @property
    def is_path(self) -> bool:
        return self.interpolate is not None or self.sweep is not None

    def shaped_by(self) -> dict[str, object]:
        """What of it shaped the pictures, as these say it of themselves: no names of files."""
        sweep = self.sweep and f"{self.sweep.name} from {self.sweep.first:g} to {self.sweep.last:g}"
        moves = ", ".join(f"{name} {amount:g}" for name, amount in self.moves.items())
        wishes = {"label": self.label, "truncation": self.truncation, "interpolate": self.interpolate, "sweep": sweep}
        seed = {} if self.interpolate is not None else {"seed": self.seed or 0}
        return seed | {name: wish for name, wish in {**wishes, "direction": moves or None}.items() if wish is not None}

    def check(self) -> None:
        """Raise UsageError where two wishes contradict each other."""
        ways = {"--interpolate": self.interpolate, "--sweep": self.sweep, "--per-class": self.per_class}
        asked = [name for name, wish in ways.items() if wish is not None]
        if len(asked) > 1:
            raise UsageError(f"{' and '.join(asked)} are different pictures: ask for one of them at a time")
        if self.frames is not None and not self.is_path:
            raise UsageError("--frames is the length of a walk: it needs --interpolate or --sweep")
        if self.seed is not None and self.interpolate is not None:
            raise UsageError("--interpolate names its own seeds: leave --seed out")
        if self.directions is not None and not self.moves and self.sweep is None:
            raise UsageError("--directions is the file that --direction and --sweep read: it needs one of them")
        if self.per_class is not None:
            self._check_class_folders()
        elif self.target is not None and self.target.suffix.lower() not in {*STILL, *ANIMATED}:
            raise UsageError(f"-o {self.target}: end it with .png, or with .gif or .webp for an animation")

    def _check_class_folders(self) -> None:
        if self.target is None:
            raise UsageError("--per-class writes a folder for each class: it needs -o FOLDER")
        if exists(self.target) and not is_folder(self.target):
            raise UsageError(f"-o {self.target} is a file: --per-class needs a folder")
        scale = None if self.scale == 1 else self.scale
        useless = {"-n": self.count, "--columns": self.columns, "--like": self.like, "--scale": scale}
        if given := [name for name, wish in useless.items() if wish is not None]:
            raise UsageError(f"--per-class writes single pictures, as many as it says: leave {', '.join(given)} out")
