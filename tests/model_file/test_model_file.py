"""The model file: what is written is read, and anything else is refused in one clear line."""

import hashlib
import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from tiny_model import CARD, tiny_model

from img2img.errors import ModelError
from img2img.model_file import ModelCard, attach_card, available_models, find_model, lookup, read_card, read_model
from img2img.model_file.card import CARD_FORMAT

WEIGHTS = tiny_model(0.1, 0.2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(attach_card(WEIGHTS, CARD))
    return path


def safetensors(card: ModelCard, data: bytes = b"\0" * 8) -> bytes:
    card = replace(card, sha256=hashlib.sha256(data).hexdigest())
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, len(data)]}
    header = json.dumps({"__metadata__": {"img2img": card.to_json()}, "w": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + data


def test_card_read_is_the_card_written(model: Path) -> None:
    content, card = read_model(model)
    assert content == model.read_bytes()
    assert card == replace(CARD, sha256=hashlib.sha256(WEIGHTS).hexdigest())
    assert read_card(model) == card


def test_card_survives_json() -> None:
    full = replace(
        CARD, reverse="back", result="picture", score={"median": 0.5}, hardware="one core", notes='a "note"\n'
    )
    assert ModelCard.from_json(full.to_json()) == full


def test_onnx_and_onnx_runtime_read_the_same_card(model: Path) -> None:
    text = onnxruntime.InferenceSession(model.read_bytes()).get_modelmeta().custom_metadata_map["img2img"]
    (entry,) = onnx.load(model).metadata_props
    assert ModelCard.from_json(text) == ModelCard.from_json(entry.value) == read_card(model)
    onnx.checker.check_model(onnx.load(model))


def test_appended_field_is_what_protobuf_writes() -> None:
    """A card of over 127 bytes has a length of two digits in base 128."""
    props = onnx.ModelProto()
    entry = props.metadata_props.add()
    entry.key, entry.value = "img2img", replace(CARD, sha256=hashlib.sha256(WEIGHTS).hexdigest()).to_json()
    assert attach_card(WEIGHTS, CARD) == WEIGHTS + props.SerializeToString()


def test_safetensors_carries_the_same_card(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(safetensors(CARD))
    assert replace(read_card(path), sha256="") == CARD


def refusal(path: Path, content: bytes) -> str:
    """What `read_card` says of a file; always one line that begins with the file's name."""
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_card(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_flipped_byte_anywhere_in_the_weights_is_noticed(tmp_path: Path) -> None:
    whole = attach_card(WEIGHTS, CARD)
    for position in range(len(WEIGHTS)):
        flipped = bytearray(whole)
        flipped[position] ^= 0xFF
        refusal(tmp_path / "flipped.onnx", bytes(flipped))


def test_flipped_byte_in_a_safetensors_data_section_is_noticed(tmp_path: Path) -> None:
    whole = bytearray(safetensors(CARD))
    whole[-3] ^= 1
    assert "sha256" in refusal(tmp_path / "flipped.safetensors", bytes(whole))


def test_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = attach_card(WEIGHTS, CARD)
    for length in range(len(whole)):
        refusal(tmp_path / "short.onnx", whole[:length])


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"hello, I am a text file\n" * 9, b"\xff" * 64, b"\0" * 64])
def test_what_is_no_model_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    message = refusal(tmp_path / f"other{suffix}", content)
    assert "empty" in message if not content else "not a" in message


def test_weights_given_to_convert_with_name_the_graph_beside_them(tmp_path: Path) -> None:
    weights = tmp_path / "tiny.safetensors"
    weights.write_bytes(safetensors(CARD))
    with pytest.raises(ModelError, match=r"tiny\.safetensors: holds weights .* the tiny\.onnx that was exported"):
        read_model(weights)
    weights.with_suffix(".onnx").write_bytes(attach_card(WEIGHTS, CARD))
    with pytest.raises(ModelError, match=re.escape(str(weights.with_suffix(".onnx")))):
        read_model(weights)


def test_file_of_another_kind_is_not_called_damaged(tmp_path: Path) -> None:
    message = refusal(tmp_path / "last.pth", b"PK\x03\x04" + b"\xff" * 64)
    assert "give an .onnx file" in message
    assert "damaged" not in message


def test_model_under_any_suffix_is_read(tmp_path: Path) -> None:
    (tmp_path / "download").write_bytes(attach_card(WEIGHTS, CARD))
    assert read_card(tmp_path / "download").name == CARD.name


def test_model_without_card_is_refused(tmp_path: Path) -> None:
    assert "no img2img card" in refusal(tmp_path / "plain.onnx", WEIGHTS)
    header = b'{"__metadata__": {"format": "pt"}}'
    assert "no img2img card" in refusal(tmp_path / "plain.safetensors", struct.pack("<Q", len(header)) + header)


def test_card_of_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    newer = attach_card(WEIGHTS, replace(CARD, format=CARD_FORMAT + 1))
    assert "update img2img" in refusal(tmp_path / "newer.onnx", newer)


def test_card_with_a_field_of_later_asks_for_an_update() -> None:
    later = {**json.loads(CARD.to_json()), "gamut": "P3"}
    with pytest.raises(ModelError, match=r"x.onnx: made by a newer img2img \(its card has 'gamut'\): update img2img"):
        ModelCard.from_json(json.dumps(later), source="x.onnx")


@pytest.mark.parametrize(
    "change",
    [
        {"task": "cook"},
        {"native_size": "256"},
        {"native_size": 0},
        {"size_multiple": True},
        {"inputs": None},
        {"inputs": [{"name": "L"}]},
        {"outputs": [{"name": "ab", "shape": [1], "unit": "", "range": [1]}]},
        {"score": 3},
        {"result": "sum"},
    ],
)
def test_junk_in_a_card_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="card is damaged"):
        ModelCard.from_json(json.dumps(json.loads(CARD.to_json()) | change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "1"}', "{}"])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="card"):
        ModelCard.from_json(text)


def test_missing_field_is_named() -> None:
    values = json.loads(CARD.to_json())
    del values["licence"]
    with pytest.raises(ModelError, match="licence"):
        ModelCard.from_json(json.dumps(values))


def test_card_from_before_there_were_results_adds_the_change() -> None:
    values = json.loads(CARD.to_json())
    del values["result"]
    assert ModelCard.from_json(json.dumps(values)).result == "change"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two models that ship."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in ("zebra", "colorizer"):
        (folder / f"{name}.onnx").write_bytes(attach_card(WEIGHTS, replace(CARD, name=name)))
    monkeypatch.setattr(lookup, "checkpoints", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_model_is_found_by_name_and_by_path(shelf: Path, model: Path) -> None:
    assert find_model("colorizer") == shelf / "colorizer.onnx"
    assert find_model(str(model)) == model
    assert find_model("tiny.onnx") == Path("tiny.onnx")
    assert [path.stem for path in available_models()] == ["colorizer", "zebra"]


def test_folder_with_a_models_name_does_not_hide_the_model(shelf: Path) -> None:
    Path("colorizer").mkdir()
    assert find_model("colorizer") == shelf / "colorizer.onnx"


@pytest.mark.parametrize("name", ["colourizer", "nowhere/model.onnx", "checkpoints", ""])
def test_unknown_name_lists_those_at_hand(shelf: Path, name: str) -> None:
    with pytest.raises(ModelError, match="Available models: colorizer, zebra"):
        find_model(name)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: cannot be read \(No such file"):
        read_card(tmp_path / "gone.onnx")
