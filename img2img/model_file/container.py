"""A card and a model's weights in one file, read and written with neither onnx nor onnxruntime.

A model is one `.onnx` file: the exported graph's bytes, then one more protobuf field that holds the card as
JSON. Protobuf messages merge by concatenation, so ONNX Runtime sees the card in the model's own metadata.
The `.safetensors` of the same weights has the same card in its header.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from img2img.errors import MissingModel, ModelError
from img2img.model_file.card import ModelCard

CARD_KEY = "img2img"
_METADATA_PROPS = 14  # the field of ModelProto (onnx.proto) that holds key-value pairs
_SIZE_1, _ANY_SIZE = b"\x08\x01", b"\x12\x00"  # TensorShapeProto.Dimension: dim_value 1, dim_param ""
_LAST_FIELD = 30  # ModelProto has no field beyond: what has one is no ONNX model


def attach_card(model: bytes, card: ModelCard) -> bytes:
    """The bytes of an .onnx file: `model`, an ONNX model without a card, then `card` with its sha256."""
    card = replace(card, sha256=hashlib.sha256(model).hexdigest())
    entry = _field(1, CARD_KEY.encode()) + _field(2, card.to_json().encode(errors="backslashreplace"))
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
    return attach_card(bytes(_split_onnx(content, str(path))[0]), card)


def read_model(path: Path) -> tuple[bytes, ModelCard]:
    """The whole file and its checked card; ModelError when it is no model, is damaged or carries no card."""
    if path.suffix.lower() == ".safetensors":
        raise ModelError(f"{path}: holds weights to train on from; photos are converted by {_graph_of(path)}")
    content = _read(path)
    return content, check_model(content, str(path))


def check_model(content: bytes, source: str) -> ModelCard:
    """The checked card of an .onnx file's content; ModelError, which names `source`, as in `read_model`."""
    return _checked_card(*_split_onnx(content, source), source)


def read_card(path: Path) -> ModelCard:
    """The checked card of an .onnx or .safetensors file; ModelError as in `read_model`."""
    if path.suffix.lower() != ".safetensors":
        return read_model(path)[1]
    return _checked_card(*_split_safetensors(_read(path), str(path)), str(path))


def _graph_of(weights: Path) -> str:
    graph = weights.with_suffix(".onnx")
    return str(graph) if graph.is_file() else f"the {graph.name} that was exported with it"


def _not_onnx(source: str, or_else: str) -> ModelError:
    if not source.lower().endswith(".onnx"):
        return ModelError(f"{source}: not an ONNX model: give an .onnx file, which `img2img export` makes of a run")
    return ModelError(f"{source}: not an ONNX model, or {or_else}: fetch or export it again")


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        kind = MissingModel if isinstance(error, FileNotFoundError) else ModelError
        raise kind(f"{path}: cannot be read ({error.strerror})") from None
    if not content:
        raise ModelError(f"{path}: is empty, so not a model: fetch or export it again")
    return content


def _checked_card(weights: memoryview, text: str, source: str) -> ModelCard:
    card = ModelCard.from_json(text, source=source)
    if hashlib.sha256(weights).hexdigest() != card.sha256:
        raise ModelError(f"{source}: is damaged (its weights differ from its card's sha256): fetch the file again")
    return card


def _split_onnx(content: bytes, source: str) -> tuple[memoryview, str]:
    """The bytes before the card, and the card: the last top-level field."""
    ((start, number, body),) = deque(_fields(content, source), maxlen=1)
    if number == _METADATA_PROPS:
        entry = {number: bytes(value) for _, number, value in _fields(bytes(body), source)}
        if entry.get(1) == CARD_KEY.encode() and 2 in entry:
            return memoryview(content)[:start], entry[2].decode(errors="replace")
    raise ModelError(f"{source}: has no img2img card, so nothing says how to use it: `img2img export` writes one")


def _split_safetensors(content: bytes, source: str) -> tuple[memoryview, str]:
    """The data section and the card."""
    header, weights = _split_header(content, source)
    text = (header.get("__metadata__") or {}).get(CARD_KEY)
    if not isinstance(text, str):
        raise ModelError(f"{source}: has no img2img card, so nothing says how to use it: `img2img export` writes one")
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


def for_several(model: bytes) -> bytes:
    """An .onnx file's content, its graph made for one photo, as one that takes and gives any number: (N, C, H, W).

    Right where its nodes treat each photo by itself, as a colorizer's do; with a card's sha256 it no longer agrees.
    """
    content = bytearray(model)
    for graph in _parts(memoryview(content), 7):
        for values in (11, 12, 13):  # what goes in, what comes out, what is known of what is in between
            for shape in (shape for value in _parts(graph, values) for shape in _parts(value, 2, 1, 2)):
                first = next(_parts(shape, 1), None)
                if first is not None and bytes(first) == _SIZE_1:
                    first[:] = _ANY_SIZE
    return bytes(content)


def _parts(message: memoryview, *numbers: int) -> Iterator[memoryview]:
    """The content of a message's fields of this number, of those in them of the next, and so on."""
    number, *inner = numbers
    for _, found, body in _fields(message, "the graph"):
        if found == number:
            yield from _parts(body, *inner) if inner else (body,)


def _fields(message: bytes | memoryview, source: str) -> Iterator[tuple[int, int, memoryview]]:
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
            raise _not_onnx(source, "a damaged one")
        if position + length > len(view):
            raise _not_onnx(source, "one cut short")
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
