"""The options of translating photos."""

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from img2img.conversion.option import Option
from img2img.conversion.options import ConversionOptions
from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.task import Task
    from img2img.inference.translator import Size

MANY_FIT = 512
"""Sizes at which a photo takes the network less than 200 MB: beyond, one for each core may be too many."""

RELIABLE_AUC = 0.9
"""Below it `min_score` comes with a warning."""


def _check_size(size: str) -> None:
    if size not in ("card", "native") and not (size.isdecimal() and 1 <= int(size) <= 2048):
        raise UsageError(f"--size: {size}: give card, native, or a number of pixels up to 2048")


@dataclass(frozen=True, kw_only=True)
class TranslateOptions(ConversionOptions):
    """Translating photos."""

    model_task = "translate"

    model: Annotated[
        str | None,
        Option(
            "One of `img2img models`, an .onnx file, or a training run's folder. Required if there is more than one"
            " translator.",
            metavar="NAME|FILE|RUN",
            over_http=True,
            show_default=False,
        ),
    ] = None
    size: Annotated[
        str,
        Option(
            "What the model sees: card, a copy of about the size that it was trained at; N, a copy of about N x N "
            "pixels; native, the photo itself, in tiles if it is large. The change to a copy is enlarged and added to "
            "the photo; if the model draws a new picture, that is enlarged. Above "
            f"{MANY_FIT} a photo can take 3 GB of memory, so without --jobs they are done one at a time.",
            metavar="card|native|N",
            check=_check_size,
            over_http=True,
        ),
    ] = "card"
    cycle: Annotated[
        bool,
        Option(
            "Also translate the result back, with the reverse model that the card names; write all"
            " three: in | out | back.",
            photos_only=True,
            over_http=True,
        ),
    ] = False
    score: Annotated[
        bool,
        Option(
            "Print how similar each photo is to the training photos: the share of those that look stranger, 0 to 1. "
            "Where the model comes with a critic, the score is in the report anyway, and photos below 0.02 are flagged "
            "as unlike the training pictures.",
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
        from img2img.inference.run_model import settled_model

        chosen = replace(self, model=settled_model(self.model or _only_translator(), self.model_task))
        if self.min_score:
            _warn_of_a_doubtful_score(chosen.model_name, self.min_score)
        return chosen

    @property
    def word(self) -> str:
        from img2img.batch.own_result import CYCLE
        from img2img.model_file import name_of_model

        name = name_of_model(self.model_name)
        return f"{name}{CYCLE}" if self.cycle else name

    def leaves_own(self, *, many: bool) -> bool:
        return many

    @property
    def chosen_model(self) -> str | None:
        return self.model

    @property
    def model_name(self) -> str:
        assert self.model is not None, "`settled` names it"
        return self.model

    @property
    def one_at_a_time(self) -> bool:
        return self.size == "native" or (self.size.isdecimal() and int(self.size) > MANY_FIT)

    @property
    def judged(self) -> bool:
        """Whether each photo must get a score."""
        return self.score or self.min_score is not None

    def task(self) -> "Task":
        from img2img.batch.task import Translating

        least = self.min_score or 0.0
        return Translating(self.model_name, self._seen(), self.cycle, self.judged, least, self.execution)

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
