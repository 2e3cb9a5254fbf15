"""The model file: the card, finding a model by name or path, reading and checking it.

A model is one `.onnx` file: the exported graph's bytes, then one more protobuf field that holds the card as
JSON. Protobuf messages merge by concatenation, so ONNX Runtime sees the card in the model's own metadata;
here it is read and checked with neither onnx nor onnxruntime. The `.safetensors` of the same weights has the
same card in its header.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from img2img.errors import ModelError

CARD_KEY = "img2img"
CARD_FORMAT = 1
_METADATA_PROPS = 14  # the field of ModelProto (onnx.proto) that holds key-value pairs
_LAST_FIELD = 30  # ModelProto has no field beyond: what has one is no ONNX model


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
    pictures (see `inference.scorer`). `classes` names the labels that a conditional sampler draws, or the translators
    that a critic's numbers are for. `halo` is how many pixels around a tile a translator must see to draw it as in the
    whole picture.
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
    classes: tuple[str, ...] = ()
    halo: int = 0
    format: int = CARD_FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, source: str = "the card") -> ModelCard:
        """The card in `text`, every field checked; ModelError names `source`."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{source}: the model's card is damaged ({error}): fetch the file again") from None
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise ModelError(f"{source}: the model's card is not one that img2img wrote")
        if values["format"] > CARD_FORMAT:
            raise ModelError(f"{source}: made by a newer img2img (card format {values['format']}): update img2img")
        try:
            for side in ("inputs", "outputs"):
                values[side] = tuple(_tensor_spec(spec) for spec in values[side])
            values["classes"] = tuple(map(str, values.get("classes", ())))
            card = cls(**values)
            _check_fields(card)
        except (TypeError, KeyError, ValueError) as error:
            raise ModelError(f"{source}: the model's card is damaged ({error})") from None
        return card


def attach_card(model: bytes, card: ModelCard) -> bytes:
    """The bytes of an .onnx file: `model`, an ONNX model without a card, then `card` with its sha256."""
    card = replace(card, sha256=hashlib.sha256(model).hexdigest())
    entry = _field(1, CARD_KEY.encode()) + _field(2, card.to_json().encode())
    return model + _field(_METADATA_PROPS, entry)


def card_for_weights(content: bytes, card: ModelCard) -> bytes:
    """The bytes of a .safetensors file with `card`, sha256 filled in, in place of any card it had."""
    header, weights = _split_header(content, "the weights")
    card = replace(card, sha256=hashlib.sha256(weights).hexdigest())
    header["__metadata__"] = {CARD_KEY: card.to_json()}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the format wants the data aligned
    return len(text).to_bytes(8, "little") + text + bytes(weights)


def rewrite_card(path: Path, card: ModelCard) -> bytes:
    """The content of an .onnx or .safetensors file with another card on the same weights."""
    content = _read(path)
    if path.suffix.lower() == ".safetensors":
        return card_for_weights(content, card)
    return attach_card(bytes(_split_onnx(content, path)[0]), card)


def read_model(path: Path) -> tuple[bytes, ModelCard]:
    """The whole file and its checked card; ModelError when it is no model, is damaged or carries no card."""
    if path.suffix.lower() == ".safetensors":
        raise ModelError(f"{path}: holds weights to train on from; photos are converted by {_graph_of(path)}")
    content = _read(path)
    weights, text = _split_onnx(content, path)
    return content, _checked_card(weights, text, path)


def read_card(path: Path) -> ModelCard:
    """The checked card of an .onnx or .safetensors file; ModelError as in `read_model`."""
    if path.suffix.lower() != ".safetensors":
        return read_model(path)[1]
    weights, text = _split_safetensors(_read(path), path)
    return _checked_card(weights, text, path)


def checkpoints() -> Path:
    """The folder of the models that ship: inside the installed package, or at the top of a checkout."""
    packaged = Path(__file__).parent / "checkpoints"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "checkpoints"


def available_models() -> list[Path]:
    """The .onnx files that ship, by name."""
    return sorted(checkpoints().glob("*.onnx"))


def find_model(name_or_path: str) -> Path:
    """The file of a model that ships, by its name, or any other model file by its path."""
    named = {path.stem: path for path in available_models()}
    if name_or_path in named:
        return named[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    if (path / "config.json").is_file():
        raise ModelError(f"{path}: a run's folder, not a model file: first `img2img export {path} -o NAME.onnx`")
    choices = ", ".join(named) or f"none, {checkpoints()} has no .onnx file"
    raise ModelError(f"{name_or_path}: no such model file, nor a model's name. Models at hand: {choices}")


def _graph_of(weights: Path) -> str:
    graph = weights.with_suffix(".onnx")
    return str(graph) if graph.is_file() else f"the {graph.name} that was exported with it"


def _not_onnx(path: Path, or_else: str) -> ModelError:
    if path.suffix.lower() != ".onnx":
        return ModelError(f"{path}: not an ONNX model: give an .onnx file, which `img2img export` makes of a run")
    return ModelError(f"{path}: not an ONNX model, or {or_else}: fetch or export it again")


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if not content:
        raise ModelError(f"{path}: is empty, so not a model: fetch or export it again")
    return content


def _checked_card(weights: memoryview, text: str, path: Path) -> ModelCard:
    card = ModelCard.from_json(text, source=str(path))
    if hashlib.sha256(weights).hexdigest() != card.sha256:
        raise ModelError(f"{path}: is damaged (its weights differ from its card's sha256): fetch the file again")
    return card


def _split_onnx(content: bytes, path: Path) -> tuple[memoryview, str]:
    """The bytes before the card, and the card: the last top-level field."""
    ((start, number, body),) = deque(_fields(content, path), maxlen=1)
    if number == _METADATA_PROPS:
        entry = {number: bytes(value) for _, number, value in _fields(bytes(body), path)}
        if entry.get(1) == CARD_KEY.encode() and 2 in entry:
            return memoryview(content)[:start], entry[2].decode(errors="replace")
    raise ModelError(f"{path}: has no img2img card, so nothing says how to use it: `img2img export` writes one")


def _split_safetensors(content: bytes, path: Path) -> tuple[memoryview, str]:
    """The data section and the card."""
    header, weights = _split_header(content, str(path))
    text = (header.get("__metadata__") or {}).get(CARD_KEY)
    if not isinstance(text, str):
        raise ModelError(f"{path}: has no img2img card, so nothing says how to use it: `img2img export` writes one")
    return weights, text


def _split_header(content: bytes, source: str) -> tuple[dict[str, Any], memoryview]:
    """A .safetensors file's JSON header, whose length stands in the first 8 bytes, and the data after it."""
    end = 8 + int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8:end]) if 8 < end <= len(content) else None
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise ModelError(f"{source}: not a .safetensors file, or a damaged one: fetch or export it again")
    return header, memoryview(content)[end:]


def _fields(message: bytes, path: Path) -> Iterator[tuple[int, int, memoryview]]:
    """A protobuf message's top-level fields: offset, number, and the content of those that have a length."""
    view, position = memoryview(message), 0
    while position < len(view):
        start = position
        key, position = _varint(view, position)
        number, wire_type = key >> 3, key & 7
        length = 0
        if wire_type == 0:
            _, position = _varint(view, position)
        elif wire_type == 2:
            length, position = _varint(view, position)
        if wire_type not in (0, 2) or not 0 < number <= _LAST_FIELD:
            raise _not_onnx(path, "a damaged one")
        if position + length > len(view):
            raise _not_onnx(path, "one cut short")
        yield start, number, view[position : position + length]
        position += length


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    """A protobuf integer and the position after it (past the end when the message stops inside it)."""
    value = shift = 0
    while position < len(view) and shift < 64:
        byte = view[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    return value, len(view) + 1


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, digits = len(content), bytearray()
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *digits, length]) + content


def _tensor_spec(values: dict[str, Any]) -> TensorSpec:
    low, high = values["range"]
    return TensorSpec(values["name"], tuple(values["shape"]), values["unit"], (low, high))


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
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    return isinstance(value, origin or hint) and not isinstance(value, bool)
