"""What `img2img train NAME` was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from img2img.data import PairDirection
from img2img.training.pace import Pace


@dataclass(frozen=True)
class TrainingRequest:
    """One training, as its command names it."""

    recipe: str
    data: Sequence[str | Path]
    """Folders, .tar shards, patterns of such, or the word "digits", each alone or as NAME=WEIGHT.

    Empty for what the file of settings names, or the recipe's default set, or the run's own.
    """
    out: Path
    steps: int | None = None
    init: Path | None = None
    resume: bool = False
    seed: int | None = None
    device: str = "auto"
    settings: Sequence[str] = ()
    pace: Pace = field(default_factory=Pace)
    config: Path | None = None
    compile: bool = False
    tensorboard: bool = False
    domains: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)
    """In the place of `data`, the same for each domain of the recipe by its name; for one that is paired also "ab",
    pictures that hold both side by side."""
    direction: PairDirection | None = None
    """Which side of a pair becomes the other; None for a2b, and for recipes that are not paired."""
    preset: str | None = None

    @property
    def names_data(self) -> bool:
        """Whether the command says what to train on; if not, a file of settings may, or the run."""
        return bool(self.data or self.domains)
