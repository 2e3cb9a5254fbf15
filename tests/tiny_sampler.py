"""The smallest sampler: a picture that is linear in z, so that what it draws is known by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper
from tiny_model import write_tiny_model

from img2img.model_file import TensorSpec

SIZE = 8


def linear_sampler(
    path: Path,
    basis: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    classes: Sequence[str] = (),
    condition: bool = False,
    **card: Any,
) -> Path:
    """A model file that draws sum(z[d] * basis[d]), plus the label's of `labels`, plus the condition.

    `basis` is (D, C, S, S), or (D, C, T, S, S) for videos; `labels` (K, C, S, S).
    """
    basis = np.asarray(basis, np.float32)
    shape = basis.shape[1:]
    weights = {"basis": basis}
    specs = [TensorSpec("z", ("N", len(basis)), "N(0, 1)", (-6.0, 6.0))]
    nodes = [helper.make_node("MatMul", ["z", "basis"], ["drawn"])]
    if labels is not None:
        weights["of_labels"] = np.asarray(labels, np.float32)
        specs.append(TensorSpec("label", ("N", len(weights["of_labels"])), "one-hot", (0.0, 1.0)))
        nodes.append(helper.make_node("MatMul", ["label", "of_labels"], ["by_label"]))
    nodes += [
        helper.make_node("Add", ["drawn", "by_label"], ["flat"])
        if labels is not None
        else helper.make_node("Identity", ["drawn"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["plain"]),
    ]
    if condition:
        specs.append(TensorSpec("condition", ("N", *shape), "RGB", (-1.0, 1.0)))
    output = "video" if len(shape) == 4 else "image"
    nodes.append(helper.make_node("Add" if condition else "Identity", ["plain", *["condition"] * condition], [output]))
    graph = helper.make_graph(
        nodes,
        "sampler",
        [helper.make_tensor_value_info(spec.name, TensorProto.FLOAT, spec.shape) for spec in specs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", *shape])],
        [
            *(numpy_helper.from_array(value.reshape(len(value), -1), name) for name, value in weights.items()),
            numpy_helper.from_array(np.array([-1, *shape]), "shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    about = {
        "name": path.stem,
        "task": "generate",
        "inputs": tuple(specs),
        "outputs": (TensorSpec(output, ("N", *shape), "grey", (-1.0, 1.0)),),
        "native_size": shape[-1],
        "size_multiple": 1,
        "classes": tuple(classes),
    }
    return write_tiny_model(path, model.SerializeToString(), **{**about, **card})


def flat(*values: float, channels: int = 1, size: int = SIZE) -> np.ndarray:
    """(len(values), channels, size, size): evenly grey pictures."""
    return np.tile(np.reshape(values, (-1, 1, 1, 1)), (1, channels, size, size)).astype(np.float32)
