"""A graph that was traced at fixed sizes, its sizes free again: the shapes in it named by what they follow.

PyTorch takes a third of the time for a trace at fixed sizes, and finds the same nodes, as long as none of them holds a
number that the sizes gave: that is looked at by running the graph at others.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import onnx
import torch
from torch import Tensor, nn

from img2img.errors import ModelError
from img2img.export.example_inputs import fill_shape, random_input
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.model_file import TensorSpec

Sizes = Mapping[str, int]
NEAR = {"rtol": 0.01, "atol": 0.01}
"""Far above what arithmetic differs by; what the parity may be is another's to say."""


def free_sizes(model: onnx.ModelProto, takes: Sequence[TensorSpec], multiple: int, traced: Sizes, other: Sizes) -> bool:
    """Name every size of the graph's shapes, in place, that varies with H and W: 8*H, where H counts multiples.

    `traced` are the sides that it was traced at, `other` some to compare with, in pixels. Shapes that are unknown at
    these are dropped. False, and the model of no use, where the graph is for the traced sizes alone.
    """
    elsewhere = _at_sizes(model, takes, other)
    if elsewhere is None:
        return False
    units = {name: (traced[name] // multiple, other[name] // multiple) for name in traced}
    shapes = {value.name: _shape(value) for value in _values(elsewhere.graph)}
    for value in _values(model.graph):
        sizes = shapes.get(value.name)
        if sizes is None or len(sizes) != len(_shape(value)) or 0 in sizes:
            value.type.tensor_type.ClearField("shape")
            continue
        for dim, there in zip(value.type.tensor_type.shape.dim, sizes, strict=True):
            if dim.dim_value != there:
                dim.dim_param = _name(dim.dim_value, there, units)
    kept = [value for value in model.graph.value_info if value.type.tensor_type.HasField("shape")]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    return True


@torch.no_grad()
def computes_as(
    network: nn.Module, graph: bytes, takes: Sequence[TensorSpec], sizes: Sizes, further: Sequence[Tensor]
) -> bool:
    """Whether the graph gives what the network does at these sizes; `further` are inputs without free sizes."""
    generator = torch.Generator().manual_seed(1)
    inputs = [*(random_input(spec, sizes, generator) for spec in takes), *further]
    try:
        ours = OnnxRuntime(graph, device="cpu", threads=1).run_all(*(one.numpy() for one in inputs))
    except ModelError:
        return False
    theirs = network(*inputs)
    expected = [theirs] if isinstance(theirs, Tensor) else [*theirs]
    return all(
        tuple(one.shape) == tuple(other.shape) and torch.allclose(torch.from_numpy(one), other, **NEAR, equal_nan=True)
        for one, other in zip(ours, expected, strict=True)
    )


def _at_sizes(model: onnx.ModelProto, takes: Sequence[TensorSpec], sizes: Sizes) -> onnx.ModelProto | None:
    """The shapes of a copy at other sizes; nothing where they do not fit."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    for value, spec in zip(copy.graph.input, takes, strict=False):
        for dim, size in zip(value.type.tensor_type.shape.dim, fill_shape(spec, sizes), strict=True):
            dim.dim_value = size
    try:
        return onnx.shape_inference.infer_shapes(copy, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError:
        return None


def _values(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    yield from graph.input
    yield from graph.output
    yield from graph.value_info


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """0 for a size that is unknown."""
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def _name(here: int, there: int, units: Mapping[str, tuple[int, int]]) -> str:
    for name, (first, second) in units.items():
        if (factor := Fraction(here, first)) == Fraction(there, second):
            return name if factor == 1 else f"{factor}*{name}"
    return f"size_{here}_{there}"
