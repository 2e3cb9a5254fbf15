"""What is done with each photo, as a description that threads and other machines can open."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from img2img.errors import UsageError
from img2img.inference.callables import Convert, Steady
from img2img.inference.execution import Execution
from img2img.model_file import ModelCard, find_model, read_card
from img2img.photo import Photo
from img2img.photo.metadata.provenance import COMPOSITE, Provenance

if TYPE_CHECKING:
    from img2img.inference.colorizer import Colorizer
    from img2img.inference.scorer import Scorer
    from img2img.inference.translator import Size, Translator
    from img2img.lab import Floats
    from img2img.photo.pixels import Pixels


@dataclass(frozen=True)
class Scoring:
    """How much a photo is like those that a model was made for, from 0 to 1; those below `least` are skipped."""

    score: Callable[[Photo], float]
    least: float = 0.0


@dataclass(frozen=True)
class PhotoConverter:
    """Models in memory, which threads may share. `provenance` is what the results are to say of themselves."""

    convert: Convert
    scoring: Scoring | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True)
class FilmConverter:
    """Models in memory that convert a film's frames, in order.

    `convert` takes a frame as a photo. Where a film keeps its own luma, `chroma` gives the Cb and Cr, small, of a luma
    (H, W), as `Colorizer.chroma` does. `provenance` is for those that become pictures.
    """

    convert: "Callable[[Photo, Steady], Photo]"
    chroma: "Callable[[Pixels, Steady], Floats] | None" = None
    provenance: Provenance | None = None


class Task(Protocol):
    """Can be pickled, and opened wherever the model files and img2img are."""

    @property
    def execution(self) -> Execution:
        """Where the models run; how many cores one photo may take, is said when they are opened."""
        ...

    @property
    def least(self) -> float:
        """The score below which a photo is skipped; 0 where none is."""
        ...

    def open(self, threads: int) -> PhotoConverter:
        """Loads the models; `threads` is how many cores one photo may take. Raises ModelError."""
        ...

    def open_for_films(self, threads: int) -> FilmConverter:
        """The same for films. Raises ModelError, and UsageError for what only photos can have."""
        ...

    def settings(self) -> dict[str, Any]:
        """All that the results depend on beside the photos, for JSON: weights by their sha256. Raises ModelError."""
        ...


@dataclass(frozen=True)
class Colorizing:
    """`img2img colorize`."""

    model: str = "colorizer"
    strength: float = 1.0
    execution: Execution = Execution()

    @property
    def least(self) -> float:
        """Every photo can be coloured."""
        return 0.0

    def open(self, threads: int) -> PhotoConverter:
        return self.using(self.open_model(threads))

    def open_model(self, threads: int) -> "Colorizer":
        from img2img.inference.colorizer import Colorizer

        where = self.execution
        return Colorizer(self.model, device=where.device, threads=threads, runtime=where.runtime)

    def using(self, colorizer: "Colorizer") -> PhotoConverter:
        """With the model open already."""
        made = _provenance(colorizer.card, self.shaped_by())
        return PhotoConverter(partial(colorizer.convert, strength=self.strength), provenance=made)

    def open_for_films(self, threads: int) -> FilmConverter:
        colorizer = self.open_model(threads)
        return FilmConverter(
            lambda photo, steady: colorizer.convert(photo, strength=self.strength, steady=steady),
            lambda luma, steady: colorizer.chroma(luma, strength=self.strength, steady=steady),
            _provenance(colorizer.card, self.shaped_by()),
        )

    def settings(self) -> dict[str, Any]:
        return {"model": _sha(self.model), "strength": self.strength}

    def shaped_by(self) -> dict[str, Any]:
        """The options that shaped the results, as these say it of themselves: never a file's name or path."""
        return {"strength": self.strength}


@dataclass(frozen=True)
class Translating:
    """`img2img translate`; `score`: judged by the model's critic, and skipped below `least`."""

    model: str
    size: "Size" = "card"
    cycle: bool = False
    score: bool = False
    least: float = 0.0
    execution: Execution = Execution()

    def open(self, threads: int) -> PhotoConverter:
        translator = self.open_model(threads)
        return self.using(translator, self.open_scorer(translator, threads) if self.score else None)

    def open_model(self, threads: int) -> "Translator":
        from img2img.inference.translator import Translator

        where = self.execution
        return Translator(self.model, device=where.device, threads=threads, runtime=where.runtime)

    def open_scorer(self, translator: "Translator", threads: int) -> "Scorer":
        from img2img.inference.scorer import Scorer

        return Scorer(translator, replace(self.execution, threads=threads))

    def using(self, translator: "Translator", scorer: "Scorer | None") -> PhotoConverter:
        """With the models open already."""
        scoring = Scoring(scorer.score, self.least) if scorer else None
        return PhotoConverter(self._converting(translator), scoring, _provenance(translator.card, self.shaped_by()))

    def open_for_films(self, threads: int) -> FilmConverter:
        if self.cycle or self.score:
            raise UsageError("--cycle, --score and --min-score are for photos: leave them out for a film")
        translator = self.open_model(threads)
        return FilmConverter(
            lambda photo, steady: translator.convert(photo, size=self.size, steady=steady),
            provenance=_provenance(translator.card, self.shaped_by()),
        )

    def settings(self) -> dict[str, Any]:
        from img2img.inference.opened_model import find_reverse

        back = _sha(str(find_reverse(self.model))) if self.cycle else None
        return {"model": _sha(self.model), "size": self.size, "back": back}

    def shaped_by(self) -> dict[str, Any]:
        """As `Colorizing.shaped_by`."""
        from img2img.inference.opened_model import find_reverse

        if not self.cycle:
            return {"size": self.size}
        back = read_card(find_reverse(self.model))
        return {"size": self.size, "cycle": f"{back.name} {back.sha256}"}

    def _converting(self, translator: "Translator") -> Convert:
        there = partial(translator.convert, size=self.size)
        if not self.cycle:
            return there
        from img2img.inference.cycle import there_and_back

        return partial(there_and_back, there=there, back=partial(translator.reverse().convert, size=self.size))


def _provenance(card: ModelCard, shaped_by: dict[str, Any]) -> Provenance:
    return Provenance.of_ours(COMPOSITE, card.name, card.sha256, shaped_by)


def _sha(model: str) -> str:
    return read_card(find_model(model)).sha256
