"""The smallest colorizer: one 1 x 1 convolution, so that the predicted ab is known by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from img2img.model_file import ModelCard, TensorSpec, attach_card

CARD = ModelCard(
    name="tiny",
    task="colorize",
    inputs=(TensorSpec("L", (1, 1, "h", "w"), "L / 50 - 1", (-1.0, 1.0)),),
    outputs=(TensorSpec("ab", (1, 2, "h", "w"), "ab / 110", (-1.0, 1.0)),),
    native_size=256,
    size_multiple=32,
    recipe="colorizer",
    settings={"temperature": 0.38},
    data="photos of größe",
    step=7,
    metrics={"psnr": 23.5},
    metrics_command="img2img evaluate",
    licence="Apache-2.0",
    version="0.1.0",
    parameters=4,
)


def tiny_model(a: float, b: float, slope: float = 0.0, *, outputs: int = 2) -> bytes:
    """An ONNX graph without a card: ab / 110 = (a, b) + slope * L, in the first two of `outputs` channels."""
    weights = ([slope] * 2 + [0.0] * outputs)[:outputs], ([a, b] + [0.0] * outputs)[:outputs]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["L", "w", "bias"], ["ab"])],
        "tiny",
        [helper.make_tensor_value_info("L", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("ab", TensorProto.FLOAT, [1, outputs, "h", "w"])],
        [
            helper.make_tensor("w", TensorProto.FLOAT, [outputs, 1, 1, 1], weights[0]),
            helper.make_tensor("bias", TensorProto.FLOAT, [outputs], weights[1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def write_tiny_model(path: Path, model: bytes, **changes: Any) -> Path:
    """A model file of `model` and CARD with `changes`."""
    path.write_bytes(attach_card(model, replace(CARD, **changes)))
    return path
