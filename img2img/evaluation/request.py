"""What `img2img evaluate` was asked for, and which options go together: known before any work and without torch."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from img2img.errors import UsageError
from img2img.inference.run_model import names_a_run, recipe_of_run
from img2img.model_file import find_model, name_of_model, read_card
from img2img.recipes import RECIPES

Subject = Literal["colorize", "translate", "pairs", "score", "generate", "folders"]

COLORIZER_SIZE = 256
_NAMES = {
    "colorize": "a colorizer",
    "translate": "a translator",
    "pairs": "a translator of pairs",
    "score": "a translator beside --strangers",
    "generate": "a sampler",
    "folders": "two folders",
}
_NEEDED = {
    "colorize": ("--data",),
    "translate": ("--data", "--real"),
    "pairs": ("--data", "--real"),
    "score": ("--data", "--strangers"),
    "generate": ("--data",),
    "folders": ("--real", "--fake"),
}
_ALLOWED = {
    "colorize": (
        *("--size", "--temperatures", "--saturations", "--prior-corrections", "--lpips-weights", "--features"),
        *("--weights", "--chart", "--sheet", "--save"),
    ),
    "translate": ("--size", "--held-out", "--subject", "--features", "--weights", "--chart", "--sheet", "--save"),
    "pairs": (*("--size", "--held-out", "--lpips-weights", "--features", "--weights", "--chart", "--sheet", "--save"),),
    "score": ("--held-out", "--save"),
    "generate": ("--save",),
    "folders": ("--features", "--weights", "--chart"),
}


@dataclass(frozen=True)
class EvaluationRequest:
    """A model to measure, or none and two folders to compare; what was not given is empty or None."""

    model: str | None = None
    data: tuple[str, ...] = ()
    real: tuple[str, ...] = ()
    fake: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    held_out: int | None = None
    subject_class: str | None = None
    size: int | None = None
    temperatures: tuple[float, ...] = ()
    saturations: tuple[float, ...] = ()
    prior_corrections: tuple[float, ...] = ()
    features: str | None = None
    weights: Path | None = None
    lpips_weights: Path | None = None
    seed: int = 0

    def subject(self, *, also_given: Collection[str] = ()) -> Subject:
        """The model's task, "pairs" of one trained on pairs, "score" beside strangers, "folders" without a model.

        `also_given` are options on what becomes of the figures.

        Raises UsageError unless the options are all that it needs, and nothing that it has no use for; ModelError when
        there is no such model.
        """
        subject = self._subject()
        given = {*also_given, *(name for name, _ in self._options())}
        who = f"{self.model} is {_NAMES[subject]}" if self.model else "without a model, --fake is compared with --real"
        if extra := sorted(given - {*_NEEDED[subject], *_ALLOWED[subject]}):
            raise UsageError(f"{who}: leave out {', '.join(extra)}, which {_use(extra)}")
        if missing := [name for name in _NEEDED[subject] if name not in given]:
            raise UsageError(f"{who}: give {' and '.join(missing)} as well")
        return subject

    def _subject(self) -> Subject:
        if not self.model:
            return "folders"
        task, paired = _made_for(self.model)
        if task == "critic":
            raise UsageError(f"{self.model} is a critic: give a translator that it judges for, and --strangers")
        if task == "translate" and (self.strangers or paired):
            return "score" if self.strangers else "pairs"
        return task

    def command(self) -> str:
        """As anyone can give it: files by their names, not by where they lie here."""
        words = ["img2img evaluate", *([name_of_model(self.model)] if self.model else [])]
        words += [f"{name} {value}" for name, value in self._options()]
        return " ".join(words + ([f"--seed {self.seed}"] if self.seed else []))

    def _options(self) -> Iterator[tuple[str, str]]:
        """Those that are given, seed apart, and their values."""
        given = {"--data": self.data, "--real": self.real, "--fake": self.fake, "--strangers": self.strangers}
        for name, paths in given.items():
            yield from ((name, Path(path).name) for path in paths)
        grid = {
            "--temperatures": self.temperatures,
            "--saturations": self.saturations,
            "--prior-corrections": self.prior_corrections,
        }
        for name, values in grid.items():
            if values:
                yield name, ",".join(f"{value:g}" for value in values)
        for name, value in (
            ("--held-out", self.held_out),
            ("--subject", self.subject_class),
            ("--size", self.size),
            ("--features", self.features),
        ):
            if value is not None:
                yield name, str(value)
        for name, file in (("--weights", self.weights), ("--lpips-weights", self.lpips_weights)):
            if file is not None:
                yield name, file.name


def _made_for(model: str) -> tuple[Literal["colorize", "translate", "generate", "critic"], bool]:
    """A model's task, and whether it learnt from pairs; a run's by its recipe, so that it need not be exported yet."""
    if names_a_run(model) and (entry := RECIPES.get(recipe_of_run(Path(model)))):
        return entry.task, entry.paired
    card = read_card(find_model(model))
    return card.task, card.paired


def _use(options: Collection[str]) -> str:
    takers = [_NAMES[other] for other in _NAMES if any(name in _NEEDED[other] + _ALLOWED[other] for name in options)]
    return f"{'is' if len(options) == 1 else 'are'} for {' or '.join(takers)}"
