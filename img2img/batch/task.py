"""What is done with each photo, as a description that threads and other machines can open."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from img2img.errors import ModelError, UsageError
from img2img.inference.callables import Convert, Steady
from img2img.inference.runtimes.execution import Execution
from img2img.model_file import ModelCard, find_model, read_card
from img2img.photo import Photo
from img2img.photo.metadata.provenance import COMPOSITE, Provenance
from img2img.steering.hints import Hint
from img2img.steering.request import SteeringRequest
from img2img.steering.steering import Steering

if TYPE_CHECKING:
    from img2img.inference.colorizer import Colorizer
    from img2img.inference.scorer import Scorer
    from img2img.inference.translator import Size, Translator
    from img2img.lab import Floats
    from img2img.photo.pixels import Pixels
    from img2img.steering.prior import Prior


@dataclass(frozen=True)
class Scoring:
    """How much a photo is like those that a model was made for, from 0 to 1.

    Those below `least` are skipped, results of those below `unlike` are flagged.
    """

    score: Callable[[Photo], float]
    least: float = 0.0
    unlike: float = 0.0


@dataclass(frozen=True)
class PhotoConverter:
    """Models in memory, which threads may share. `provenance` is what the results are to say of themselves.

    `hinted`, where hints beside the photos are used: the same for a photo that has some.
    """

    convert: Convert
    scoring: Scoring | None = None
    provenance: Provenance | None = None
    hinted: "Callable[[tuple[Hint, ...]], PhotoConverter] | None" = None


@dataclass(frozen=True)
class FilmConverter:
    """Models in memory that convert a film's frames, in order.

    `convert` takes a frame as a photo. Where a film keeps its own luma, `chroma` gives the Cb and Cr, small, of a luma
    (H, W), as `Colorizer.chroma` does. `provenance` is what the results are to say of themselves.
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

    def provenance(self) -> Provenance:
        """What results say of themselves, without hints from beside a photo; no model is opened. Raises ModelError."""
        ...


@dataclass(frozen=True)
class Colorizing:
    """`img2img colorize`. `hints_beside`: those in a file beside each photo count, too."""

    model: str = "colorizer"
    strength: float = 1.0
    execution: Execution = Execution()
    steering: SteeringRequest = SteeringRequest()
    hints_beside: bool = False

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
        """With the model open already. ModelError where it cannot be steered and is to be."""
        return self._converter(colorizer, self.prior(colorizer))

    def open_for_films(self, threads: int) -> FilmConverter:
        if self.steering.hints or self.hints_beside:
            raise UsageError("hints are for photos: leave them out for a film")
        colorizer = self.open_model(threads)
        strength, steering = self.strength, Steering(self.prior(colorizer))
        return FilmConverter(
            lambda photo, steady: colorizer.convert(photo, strength=strength, steady=steady, steering=steering),
            lambda luma, steady: colorizer.chroma(luma, strength=strength, steady=steady, steering=steering),
            _provenance(colorizer.card, self.shaped_by()),
        )

    def settings(self) -> dict[str, Any]:
        return {"model": _sha(self.model), **self.shaped_by()}

    def provenance(self) -> Provenance:
        return _provenance(read_card(find_model(self.model)), self.shaped_by())

    def shaped_by(self) -> dict[str, Any]:
        """The options that shape the results, as these say it of themselves: never a file's name or path."""
        return {"strength": self.strength, **self.steering.described()}

    def prior(self, colorizer: "Colorizer") -> "Prior | None":
        """Over the model's classes, None for none. ModelError where the model cannot be steered and is to be."""
        asked = self.steering
        if asked.hints or self.hints_beside:
            colorizer.check_can_be_steered()
        example = asked.reference.photo if asked.reference else None
        return colorizer.prior(reference=example, influence=asked.influence, palette=asked.palette, warmth=asked.warmth)

    def _converter(self, colorizer: "Colorizer", prior: "Prior | None") -> PhotoConverter:
        steering = Steering(prior, self.steering.hints)
        convert = partial(colorizer.convert, strength=self.strength, steering=steering)

        def hinted(hints: tuple[Hint, ...]) -> PhotoConverter:
            asked = replace(self.steering, hints=(*hints, *self.steering.hints))
            return replace(self, steering=asked, hints_beside=False)._converter(colorizer, prior)

        made = _provenance(colorizer.card, self.shaped_by())
        return PhotoConverter(convert, provenance=made, hinted=hinted if self.hints_beside else None)


@dataclass(frozen=True)
class Translating:
    """`img2img translate`, which skips photos with a score below `least`.

    A model's critic judges them wherever it is there; to `score` it must be.
    """

    model: str
    size: "Size" = "card"
    cycle: bool = False
    score: bool = False
    least: float = 0.0
    execution: Execution = Execution()

    def open(self, threads: int) -> PhotoConverter:
        translator = self.open_model(threads)
        return self.using(translator, self.open_scorer(translator, threads))

    def open_model(self, threads: int) -> "Translator":
        from img2img.inference.translator import Translator

        where = self.execution
        return Translator(self.model, device=where.device, threads=threads, runtime=where.runtime)

    def open_scorer(self, translator: "Translator", threads: int) -> "Scorer | None":
        """None where the model has no critic and no score was asked for."""
        from img2img.inference.scorer import Scorer

        try:
            return Scorer(translator, replace(self.execution, threads=threads))
        except ModelError:
            if self.score:
                raise
            return None

    def using(self, translator: "Translator", scorer: "Scorer | None") -> PhotoConverter:
        """With the models open already."""
        from img2img.inference.scorer import UNLIKE_BELOW

        scoring = Scoring(scorer.score, self.least, UNLIKE_BELOW) if scorer else None
        # Of the model back that is open, whatever has become of its file.
        shaped_by = self._shaped_by(translator.reverse().card if self.cycle else None)
        return PhotoConverter(self._converting(translator), scoring, _provenance(translator.card, shaped_by))

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

        back = _sha_and_result(str(find_reverse(self.model))) if self.cycle else None
        return {"model": _sha_and_result(self.model), "size": self.size, "back": back}

    def provenance(self) -> Provenance:
        return _provenance(read_card(find_model(self.model)), self.shaped_by())

    def shaped_by(self) -> dict[str, Any]:
        """As `Colorizing.shaped_by`."""
        from img2img.inference.opened_model import find_reverse

        return self._shaped_by(read_card(find_reverse(self.model)) if self.cycle else None)

    def _shaped_by(self, back: ModelCard | None) -> dict[str, Any]:
        return {"size": self.size} | ({"cycle": f"{back.name} {back.sha256}"} if back else {})

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


def _sha_and_result(model: str) -> str:
    """A translator's: what its card says of results is none of its weights. A plain sha256 where it adds a change."""
    card = read_card(find_model(model))
    return card.sha256 if card.result == "change" else f"{card.sha256} {card.result}"
