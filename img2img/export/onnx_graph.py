"""A network as an ONNX graph: dynamic sizes, batch norms folded away, fp16 kernels on disk.

A network with an optional input keeps it: the graph holds its neutral value, which callers may replace.
"""

import warnings
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from img2img.export.example_inputs import fill_shape
from img2img.export.free_sizes import computes_as, free_sizes
from img2img.lab import Floats
from img2img.machine import collector_at_rest
from img2img.model_file import TensorSpec
from img2img.networks.blocks import ConvNormAct
from img2img.networks.optional_input import WithOptionalInput
from img2img.networks.settling_norm import SettlingNorm
from img2img.recipes.recipe import Recipe

LARGEST = {"N": 4096, "H": 200, "W": 200}  # sides in multiples; only bounds what the exporter proves about shapes
UNIT = 32
"""Sides of examples are 2, 3 and 4 times this, or the multiple where that is more."""


class ScaledConv(nn.Module):
    """A convolution and the batch norm behind it in one.

    The kernel stays apart from the norm's scale, since fp16 holds the kernel exactly but not their product; the
    product is a constant that ONNX Runtime computes once, when it loads the model.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert conv.bias is None
        assert norm.running_mean is not None
        assert norm.running_var is not None
        self.conv = conv
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        self.scale = nn.Parameter(scale.view(-1, 1, 1, 1))
        self.bias = nn.Parameter(norm.bias - norm.running_mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        return nn.functional.conv2d(
            x, conv.weight * self.scale, self.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )


@torch.no_grad()
def fold_batch_norms(network: nn.Module) -> nn.Module:
    """A copy that computes the same as `network` does in eval mode."""
    folded = deepcopy(network)
    _settled_to_batch_norms(folded)
    for block in folded.modules():
        if isinstance(block, ConvNormAct) and isinstance(block[1], nn.BatchNorm2d):
            assert isinstance(block[0], nn.Conv2d)
            block[0] = ScaledConv(block[0], block[1])
            block[1] = nn.Identity()
    return folded.eval()


def _settled_to_batch_norms(network: nn.Module) -> None:
    """Batch norms in the place of norms that have settled, which in eval mode are the same."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SettlingNorm) and child.has_settled:
                setattr(parent, name, child.as_batch_norm())


def to_onnx(network: nn.Module, recipe: type[Recipe], config: Recipe.Config) -> bytes:
    """The serialised graph of a recipe's network, without a card; sizes vary where the recipe's inputs say so.

    That of a translator with instance norms has one more output, "statistics" (1, 2, T): mean and variance of each
    channel that they normalise. Given back as the optional input "frozen", they take the place of the picture's own.
    That of a colorizer takes a "prior" (Q,) over its classes, and gives their "logits".
    """
    exported = recipe.with_options(fold_batch_norms(network)).eval()
    return graph_of(exported, recipe.inputs(config), recipe.outputs(config), recipe.sides_multiple(config))


def graph_of(network: nn.Module, takes: Sequence[TensorSpec], gives: Sequence[TensorSpec], multiple: int) -> bytes:
    """The same of any network without batch norms whose pictures have sides of multiples of `multiple`."""
    inputs, outputs = [spec.name for spec in takes], [spec.name for spec in gives]
    unit = -(-UNIT // multiple) * multiple
    traced, other = {"H": 2 * unit, "W": 3 * unit}, {"H": 3 * unit, "W": 4 * unit}
    further: list[Tensor] = []
    if isinstance(network, WithOptionalInput):
        inputs, outputs = [*inputs, network.optional], [*outputs, network.further]
        further.append(network.neutral())
    several = {"N": 2}  # not 1, which the exporter would fix
    examples = (*(torch.zeros(fill_shape(spec, traced | several)) for spec in takes), *further)
    if not any("N" in spec.shape for spec in takes):  # what takes several at a time counts them as a rule
        model = _exported(network, examples, inputs, outputs)
        if free_sizes(model, takes, multiple, traced, other):
            graph = _finished(model, network)
            if computes_as(network, graph, takes, other, further):
                return graph
    shapes = (*_dynamic_shapes(takes, multiple), *({} for _ in further))
    return _finished(_exported(network, examples, inputs, outputs, shapes), network)


def _finished(model: onnx.ModelProto, network: nn.Module) -> bytes:
    _store_small(model.graph)
    if isinstance(network, WithOptionalInput):  # with a value it may be left out
        model.graph.initializer.append(numpy_helper.from_array(network.neutral().numpy(), network.optional))
    _drop_traces(model.graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _dynamic_shapes(specs: Sequence[TensorSpec], multiple: int) -> list[dict[int, Any]]:
    free = {name: torch.export.Dim(name, min=1, max=largest) for name, largest in LARGEST.items()}
    dims = {name: dim if name == "N" else multiple * dim for name, dim in free.items()}
    return [{place: dims[size] for place, size in enumerate(spec.shape) if isinstance(size, str)} for spec in specs]


def _exported(
    network: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: tuple[dict[int, Any], ...] | None = None,
) -> onnx.ModelProto:
    """Without `shapes` the sizes are those of the examples."""
    with warnings.catch_warnings(), collector_at_rest():  # the collector is an eighth of an export's time
        warnings.filterwarnings("ignore", "# The axis name", UserWarning)  # two inputs may share N: that is meant
        program = torch.onnx.export(
            network,
            examples,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _store_small(graph: onnx.GraphProto) -> None:
    """Keep as fp16 what fp16 holds exactly, as int8 what whole multiples of a scale for each output channel are.

    The nodes behind them that make float32 of it again ONNX Runtime folds away at load.
    """
    nodes = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2:
            continue
        if np.array_equal(half := values.astype(np.float16), values):
            nodes.append(helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(half, f"{tensor.name}.half"))
        elif values.ndim == 4 and (found := _steps_and_scale(values)):
            steps, scale = (f"{tensor.name}.{part}" for part in ("steps", "scale"))
            nodes += [
                helper.make_node("Cast", [steps], [f"{steps}.float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{steps}.float", scale], [tensor.name]),
            ]
            tensor.CopyFrom(numpy_helper.from_array(found[0], steps))
            graph.initializer.append(numpy_helper.from_array(found[1], scale))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def _steps_and_scale(values: Floats) -> tuple[npt.NDArray[np.int8], Floats] | None:
    """The int8 (O, I, H, W) and the scale (O, 1, 1, 1) whose product these kernels exactly are, if there are any."""
    scale = np.abs(values).max((1, 2, 3), keepdims=True) / np.float32(127)
    steps = np.rint(values / np.where(scale > 0, scale, 1)).astype(np.int8)
    return (steps, scale) if np.array_equal(steps * scale, values) else None


def _drop_traces(graph: onnx.GraphProto) -> None:
    """Remove what the exporter notes for debugging: it names files of this machine and outweighs the graph.

    The shapes in between stay: by them ONNX Runtime sees which sums it may join to a convolution.
    """
    for item in (*graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""
