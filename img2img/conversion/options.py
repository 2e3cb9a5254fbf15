"""The options of conversions: at once the command line's and the keywords of `convert`. Light to import."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from img2img.conversion.option import Option, option_fields
from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.task import Task
    from img2img.inference.execution import Execution
    from img2img.inference.translator import Size

MANY_FIT = 512
"""Sizes at which a photo takes the network less than 200 MB: beyond, one for each core may be too many."""

RELIABLE_AUC = 0.9
"""Below it `min_score` comes with a warning."""


def _check_strength(strength: float) -> None:
    if not 0 <= strength < float("inf"):
        message = f"{strength} is not a number from 0 (grey) upward; 1 is the model's own colour"
        raise UsageError(f"--strength: {message}")


def _check_size(size: str) -> None:
    if size not in ("card", "native") and not (size.isdecimal() and 1 <= int(size) <= 2048):
        raise UsageError(f"--size: {size}: give card, native, or a number of pixels up to 2048")


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """What colouring and translating have in common. Raises UsageError for a value that an option cannot have."""

    format: Annotated[
        Literal["same", "jpg", "png", "webp", "tiff"],
        Option(
            "The results' file format; same keeps each photo's own (a GIF becomes a PNG).",
            photos_only=True,
            over_http=True,
        ),
    ] = "same"
    quality: Annotated[
        int | None,
        Option(
            "Of JPEG and WebP. Without it a JPEG keeps its source's own.",
            metavar="1-100",
            least=1,
            most=100,
            photos_only=True,
            over_http=True,
        ),
    ] = None
    overwrite: Annotated[bool, Option("Replace results that exist instead of skipping them.")] = False
    first_frame: Annotated[bool, Option("Take the first picture of an animation or a multi-page TIFF.")] = False
    max_pixels: Annotated[
        int | None,
        Option("Refuse photos of more pixels. Without it, 1,000,000,000.", metavar="N", least=1, photos_only=True),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Option("Where the model runs; auto takes a GPU if it can be used.", "Speed")
    ] = "auto"
    runtime: Annotated[
        Literal["auto", "onnxruntime", "openvino"],
        Option(
            "What runs the model; openvino is faster on many processors, and needs pip install '.[openvino]'.", "Speed"
        ),
    ] = "auto"
    jobs: Annotated[
        int | None,
        Option("Photos at a time. Without it, one for each processor core.", "Speed", metavar="N", least=1),
    ] = None
    from_file: Annotated[
        str | None,
        Option(
            "Also take the photos that this file names, one a line; - for standard input.",
            "Big batches",
            metavar="LIST",
            photos_only=True,
        ),
    ] = None
    recursive: Annotated[bool, Option("Walk a folder with its sub-folders.", "Big batches")] = True
    report: Annotated[
        Path | None,
        Option("Record what came of each photo in this .json or .csv file.", "Big batches", metavar="FILE"),
    ] = None
    journal: Annotated[
        Path | None,
        Option(
            "Where to note what is done, so that the same command goes on where it was stopped. Without it, a hidden "
            "file in the output folder.",
            "Big batches",
            metavar="FILE",
            photos_only=True,
        ),
    ] = None
    on_error: Annotated[
        Literal["skip", "stop"],
        Option("After a photo that failed: go on with the others, or stop.", "Big batches", photos_only=True),
    ] = "skip"
    watch: Annotated[
        bool,
        Option(
            "Go on converting what appears, until Ctrl-C. Files still being written are waited for.",
            "Big batches",
            photos_only=True,
        ),
    ] = False
    engine: Annotated[
        Literal["local", "ray"],
        Option("Work on this machine, or on a Ray cluster (pip install '.[ray]').", "Big batches", photos_only=True),
    ] = "local"
    address: Annotated[
        str | None,
        Option(
            "Of the Ray cluster; auto joins the one that this machine is part of.", "Big batches", metavar="HOST:PORT"
        ),
    ] = None
    fps: Annotated[
        float | None,
        Option(
            "Pictures a second of a film made from frame_%05d.png. Without it, 24.", "Films", metavar="N", least=0.01
        ),
    ] = None

    def __post_init__(self) -> None:
        for each in option_fields(self):
            value = self.__dict__[each.field]
            object.__setattr__(self, each.field, each.read(value))

    model_task: ClassVar[str]
    """Of the models that these options are for, as their cards have it."""

    def settled(self) -> "ConversionOptions":
        """With all that is left to the models at hand chosen. Raises UsageError and ModelError."""
        return self

    @property
    def word(self) -> str:
        """What a result beside its source is named by."""
        raise NotImplementedError

    @property
    def model_name(self) -> str:
        raise NotImplementedError

    @property
    def one_at_a_time(self) -> bool:
        """Without `jobs` one photo takes all cores, since many would not fit in memory."""
        return False

    @property
    def execution(self) -> "Execution":
        """Where the models run."""
        from img2img.inference.execution import Execution

        return Execution(self.device, runtime=self.runtime)

    def task(self) -> "Task":
        """What is done with each photo."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ColorizeOptions(ConversionOptions):
    """Colouring photos."""

    model_task = "colorize"

    model: Annotated[str, Option("One of `img2img models`, or an .onnx file.", metavar="NAME|FILE", over_http=True)] = (
        "colorizer"
    )
    strength: Annotated[
        float,
        Option(
            "How much colour: 0 gives the grey photo, 1.3 more.",
            metavar="NUMBER",
            check=_check_strength,
            over_http=True,
        ),
    ] = 1.0

    @property
    def word(self) -> str:
        return "colorized"

    @property
    def model_name(self) -> str:
        return self.model

    def task(self) -> "Task":
        from img2img.batch.task import Colorizing

        return Colorizing(self.model, self.strength, self.execution)


@dataclass(frozen=True, kw_only=True)
class TranslateOptions(ConversionOptions):
    """Translating photos."""

    model_task = "translate"

    model: Annotated[
        str | None,
        Option(
            "One of `img2img models`, or an .onnx file. Needed where there is more than one translator.",
            metavar="NAME|FILE",
            over_http=True,
            show_default=False,
        ),
    ] = None
    size: Annotated[
        str,
        Option(
            "What the model sees: card, a copy of about the size that it was trained at; N, one of about N x N pixels "
            "(the change is then enlarged and added to the photo); native, the photo itself, tile by tile if it is "
            f"large. Beyond {MANY_FIT} a photo can take 3 GB of memory: without --jobs they are done one at a time.",
            metavar="card|native|N",
            check=_check_size,
            over_http=True,
        ),
    ] = "card"
    cycle: Annotated[
        bool,
        Option("Also go back with the card's reverse model; write in | out | back.", photos_only=True, over_http=True),
    ] = False
    score: Annotated[
        bool,
        Option(
            "Also say how much each photo is like those that the model learnt from: the share of those that look "
            "stranger, 0 to 1. It goes into the report; without one it is printed.",
            photos_only=True,
            over_http=True,
        ),
    ] = False
    min_score: Annotated[
        float | None,
        Option(
            "Skip photos with a lower score: the model was not made for them.",
            metavar="X",
            least=0,
            most=1,
            photos_only=True,
            over_http=True,
        ),
    ] = None

    def settled(self) -> "TranslateOptions":
        chosen = replace(self, model=self.model or _only_translator())
        if self.min_score:
            _warn_of_a_doubtful_score(chosen.model_name, self.min_score)
        return chosen

    @property
    def word(self) -> str:
        stem = Path(self.model_name).stem
        return f"{stem}.cycle" if self.cycle else stem

    @property
    def model_name(self) -> str:
        assert self.model is not None, "`settled` names it"
        return self.model

    @property
    def one_at_a_time(self) -> bool:
        return self.size == "native" or (self.size.isdecimal() and int(self.size) > MANY_FIT)

    def task(self) -> "Task":
        from img2img.batch.task import Translating

        judged = self.score or self.min_score is not None
        least = self.min_score or 0.0
        return Translating(self.model_name, self._seen(), self.cycle, judged, least, self.execution)

    def _seen(self) -> "Size":
        return self.size if self.size in ("card", "native") else int(self.size)  # type: ignore[return-value]


def _only_translator() -> str:
    from img2img.inference.opened_model import models_for

    names = models_for("translate")
    if len(names) == 1:
        return names[0]
    choices = f"--model {' or --model '.join(names)}" if names else "--model FILE.onnx (`img2img train cyclegan`)"
    raise UsageError(f"which model? Give {choices}")


def _warn_of_a_doubtful_score(model: str, least: float) -> None:
    from img2img.model_file import find_model, read_card

    card = read_card(find_model(model))
    auc = card.metrics.get("score", {}).get("auc", 1.0)
    if auc < RELIABLE_AUC:
        warnings.warn(
            f"{card.name}: of a photo that it was made for and another one, the score prefers the other in "
            f"{1 - auc:.0%} of cases (its card: AUC {auc:.3f}), so --min-score {least:g} skips some of the right ones",
            stacklevel=2,
        )
