"""The card of a model: what it is, how it was made, how good it was measured to be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from img2img.errors import ModelError

CARD_FORMAT = 1


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: a size that varies has a name in `shape`; values are in `unit`, within `range`."""

    name: str
    shape: tuple[int | str, ...]
    unit: str
    range: tuple[float, float]


@dataclass(frozen=True)
class ModelCard:
    """What a model is, how it was made, how good it was measured to be, and what may be done with it.

    `sha256` is of the weights' bytes: an .onnx file's before the card, a .safetensors file's after the header.
    `seconds` is how long the training took. `metrics_command` prints `metrics`. `reverse` names the model that goes
    back, `critic` the one that judges what a translator is given; `score` says what its numbers are among the training
    pictures (see `inference.scorer`). `paired`: it was trained on pairs of a picture and what that becomes, so what it
    makes can be measured by a target. `classes` names the labels that a conditional sampler draws, or the translators
    that a critic's numbers are for. `color_classes` are a colorizer's: a, b and share of the training pictures'
    colours, of each. `halo` is how many pixels around a tile a translator must see to draw it as in the whole picture.
    `result` is what a photo gets of a translator that saw a small copy of it: the "change" that it made, added to the
    photo, or the "picture" that it drew, as of masks and sketches.
    """

    name: str
    task: Literal["colorize", "translate", "generate", "critic"]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    native_size: int
    size_multiple: int
    recipe: str
    settings: dict[str, Any]
    data: str
    step: int
    metrics: dict[str, Any]
    metrics_command: str
    licence: str
    version: str
    parameters: int
    seed: int | None = None
    seconds: float | None = None
    hardware: str = ""
    notes: str = ""
    sha256: str = ""
    reverse: str | None = None
    critic: str | None = None
    score: dict[str, float] | None = None
    paired: bool = False
    classes: tuple[str, ...] = ()
    color_classes: tuple[tuple[float, float, float], ...] = ()
    halo: int = 0
    result: Literal["change", "picture"] = "change"
    format: int = CARD_FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, source: str = "the card") -> ModelCard:
        """The card in `text`, every field checked; ModelError names `source`."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{source}: the model's card is damaged ({error}): fetch the file again") from None
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise ModelError(f"{source}: the model's card is not one that img2img wrote")
        if values["format"] > CARD_FORMAT:
            raise ModelError(f"{source}: made by a newer img2img (card format {values['format']}): update img2img")
        if newer := sorted(values.keys() - {field.name for field in fields(cls)}):
            raise ModelError(f"{source}: made by a newer img2img (its card has {newer[0]!r}): update img2img")
        try:
            for side in ("inputs", "outputs"):
                values[side] = tuple(_tensor_spec(spec) for spec in values[side])
            values["classes"] = tuple(map(str, values.get("classes", ())))
            values["color_classes"] = tuple(_color_class(row) for row in values.get("color_classes", ()))
            card = cls(**values)
            _check_fields(card)
        except (TypeError, KeyError, ValueError) as error:
            raise ModelError(f"{source}: the model's card is damaged ({error})") from None
        return card


def _tensor_spec(values: dict[str, Any]) -> TensorSpec:
    low, high = values["range"]
    spec = TensorSpec(values["name"], tuple(values["shape"]), values["unit"], (low, high))
    if not all(_fits(bound, int | float) for bound in spec.range):
        raise TypeError(f"range is {spec.range!r}")
    return spec


def _color_class(row: list[float]) -> tuple[float, float, float]:
    a, b, share = map(float, row)
    return a, b, share


def _check_fields(card: ModelCard) -> None:
    hints = get_type_hints(ModelCard)
    for field in fields(card):
        value = getattr(card, field.name)
        if not _fits(value, hints[field.name]):
            raise TypeError(f"{field.name} is {value!r}")
    if card.native_size < 1 or card.size_multiple < 1:
        raise TypeError(f"sizes {card.native_size} and {card.size_multiple} are not positive")


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a field's type; what a container holds is not looked at."""
    origin = get_origin(hint)
    if hint is bool:
        return isinstance(value, bool)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    return isinstance(value, origin or hint) and not isinstance(value, bool)
