"""Whether an exported graph computes what the network does in PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from img2img.errors import ExportError
from img2img.export.example_inputs import random_input
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.model_file import TensorSpec
from img2img.recipes.recipe import Recipe

PARITY_SIZES = tuple(
    {"N": count, "H": height, "W": width}
    for count, height, width in ((1, 64, 64), (2, 256, 256), (3, 224, 288), (7, 352, 192))
)

FEWEST_SIZES = 3


@dataclass(frozen=True)
class Parity:
    """The largest difference of a model between ONNX Runtime and PyTorch, in the recipe's unit, for some shapes."""

    model: str
    shapes: tuple[tuple[int, ...], ...]
    difference: float
    unit: str

    def __str__(self) -> str:
        """Of which model, at which shapes."""
        return f"{self.model} at " + ", ".join(" x ".join(map(str, shape)) for shape in self.shapes)


def measure_parity(
    model: str, network: nn.Module, graph: bytes, recipe: type[Recipe], config: Recipe.Config
) -> list[Parity]:
    """ONNX Runtime against PyTorch on random inputs of several sizes, in the recipe's unit (ab, not ab / 110)."""
    multiple = recipe.sides_multiple(config)
    return measure_graph(
        model, network, graph, recipe.inputs(config), recipe.output_scale, recipe.output_unit, multiple=multiple
    )


@torch.no_grad()
def measure_graph(
    model: str,
    network: nn.Module,
    graph: bytes,
    takes: Sequence[TensorSpec],
    scale: float,
    unit: str,
    *,
    multiple: int = 1,
) -> list[Parity]:
    """The same of any network whose pictures have sides of multiples of `multiple`.

    One unit of its first output is `scale` of `unit`.
    """
    runtime = OnnxRuntime(graph, device="cpu", threads=1)
    generator = torch.Generator().manual_seed(0)
    results = []
    for sizes in _parity_sizes(multiple):
        inputs = [random_input(spec, sizes, generator) for spec in takes]
        difference = runtime.run(*(one.numpy() for one in inputs)) - network(*inputs).numpy()
        shapes = tuple(tuple(one.shape) for one in inputs)
        largest = float(np.abs(difference).max()) * scale
        results.append(Parity(model, shapes, largest, unit))
    return results


def check_parity(parity: Sequence[Parity], tolerance: float, source: Path) -> None:
    """Raises ExportError, which names the source of the weights, where a graph drifts by more than the tolerance."""
    worst = max(parity, key=lambda one: one.difference)
    if not worst.difference <= tolerance:  # a NaN is no agreement
        raise ExportError(
            f"{source}: the exported graph drifts from PyTorch by {worst.difference:.3g} {worst.unit}, more than "
            f"{tolerance:g} ({worst}); nothing was written"
        )


def _parity_sizes(multiple: int) -> list[dict[str, int]]:
    """Sides rounded up to the multiple; sizes that become one are measured once.

    A large multiple makes one square of all: then that, a flat and a tall size, the smallest that there are.
    """
    rounded = [
        {name: size if name == "N" else -(-size // multiple) * multiple for name, size in sizes.items()}
        for sizes in PARITY_SIZES
    ]
    apart = list({(one["H"], one["W"]): one for one in rounded}.values())
    if len(apart) >= FEWEST_SIZES:
        return apart
    smallest = ((2, 1, 1), (1, 1, 2), (1, 2, 1))
    return [{"N": count, "H": height * multiple, "W": width * multiple} for count, height, width in smallest]
