"""The smallest critic, and translators there and back whose scores are known by hand."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tiny_model import write_tiny_model
from tiny_translator import IDENTITY, IMAGE, matrix_translator

from img2img.inference.scorer import LOG_LIKELIHOOD, QUANTILES, quantile_name
from img2img.model_file import TensorSpec

LOST = 26 / 127.5  # on every pixel, by the way there: 26 grey levels
EVEN = {"pictures": 9.0} | {quantile_name(share): share - 0.5 for share in QUANTILES}
"""A score of values that are evenly spread from -0.5 to 0.5: the share below v is v + 0.5."""


def brightness_critic(path: Path, **card: Any) -> Path:
    """A model file of the mean value of a picture's pixels, and of its negative: for "a2b" and "b2a"."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "first"], ["column"]),
            helper.make_node("Mul", ["column", "signs"], [LOG_LIKELIHOOD]),
        ],
        "critic",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, IMAGE.shape)],
        [helper.make_tensor_value_info(LOG_LIKELIHOOD, TensorProto.FLOAT, [1, 2])],
        [
            numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
            numpy_helper.from_array(np.array([1]), "first"),
            numpy_helper.from_array(np.array([[1, -1]], np.float32), "signs"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    about = {
        "name": path.stem,
        "task": "critic",
        "inputs": (IMAGE,),
        "outputs": (TensorSpec(LOG_LIKELIHOOD, (1, 2), "brightness", (-1.0, 1.0)),),
        "native_size": 64,
        "size_multiple": 32,
        "classes": ("a2b", "b2a"),
    }
    return write_tiny_model(path, model.SerializeToString(), **{**about, **card})


def scored_pair(folder: Path, **card: Any) -> Path:
    """a2b.onnx, whose card has the score EVEN, its way back, and critic.onnx; the cycle makes LOST of each pixel."""
    about = {"critic": "critic", "score": EVEN, **card}
    matrix_translator(folder / "b2a.onnx", IDENTITY, reverse="a2b", **about)
    brightness_critic(folder / "critic.onnx")
    return matrix_translator(folder / "a2b.onnx", IDENTITY, (LOST,) * 3, reverse="b2a", **about)
