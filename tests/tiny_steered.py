"""The smallest colorizer that can be steered: four classes, of which it says the more the lighter, takes a prior."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper
from tiny_model import CARD, write_tiny_model

from img2img.model_file import TensorSpec

CLASSES = ((22.0, 44.0, 0.4), (0.0, -40.0, 0.2), (-40.0, 30.0, 0.2), (55.0, 35.0, 0.2))
"""a, b, frequency: orange, blue, green, red."""
FAVOURED = (2.0, 1.0, 0.0, 0.0)
"""Logits of every pixel of L = 50; the first grows by 1 as L does by 50."""


def steered_graph() -> bytes:
    """An ONNX graph without a card: L (1, 1, h, w), prior (4,) -> ab / 110 (1, 2, h, w), logits (1, 4, h/4, w/4)."""
    q = len(CLASSES)
    nodes = [
        helper.make_node("AveragePool", ["L"], ["coarse"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["coarse", "slope", "favoured"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["posterior"], axis=1),
        helper.make_node("Unsqueeze", ["prior", "beside"], ["weights"]),
        helper.make_node("Mul", ["posterior", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "classes"], ["total"], keepdims=1),
        helper.make_node("Div", ["weighted", "total"], ["shares"]),
        helper.make_node("Conv", ["shares", "centres"], ["mean"]),
        helper.make_node("Resize", ["mean", "", "larger"], ["ab"], mode="nearest"),
    ]
    centres = np.array([row[:2] for row in CLASSES], np.float32).T.reshape(2, q, 1, 1) / 110
    constants = {
        "slope": np.eye(q, 1, dtype=np.float32).reshape(q, 1, 1, 1),
        "favoured": np.array(FAVOURED, np.float32),
        "prior": np.ones(q, np.float32),
        "beside": np.array([0, 2, 3]),
        "classes": np.array([1]),
        "centres": centres,
        "larger": np.array([1, 1, 4, 4], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "steered",
        [_value("L", [1, 1, "h", "w"]), _value("prior", [q])],
        [_value("ab", [1, 2, "h", "w"]), _value("logits", [1, q, "h/4", "w/4"])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def _value(name: str, shape: list[int | str]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write_steered_model(path: Path) -> Path:
    logits = TensorSpec("logits", (1, len(CLASSES), "h/4", "w/4"), "logits", (-9.0, 9.0))
    return write_tiny_model(path, steered_graph(), outputs=(*CARD.outputs, logits), color_classes=CLASSES)
