"""A run becomes a model file: the averaged generator as .onnx and .safetensors, with the parity measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from img2img import __version__
from img2img.atomic_file import why_not, write_at_once
from img2img.errors import ExportError, SettingError
from img2img.inference.runtime import OnnxRuntime
from img2img.model_file import ModelCard, TensorSpec, attach_card, card_for_weights
from img2img.onnx_graph import fill_shape, to_onnx
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.training.run_folder import RunFolder
from img2img.training.settings import make_config
from img2img.training.state import load_latest

PARITY_SIZES = tuple(
    {"N": count, "H": height, "W": width}
    for count, height, width in ((1, 64, 64), (2, 256, 256), (3, 224, 288), (7, 352, 192))
)


@dataclass(frozen=True)
class Parity:
    """The largest difference between ONNX Runtime and PyTorch, in the recipe's unit, for inputs of some shapes."""

    shapes: tuple[tuple[int, ...], ...]
    difference: float
    unit: str

    def __str__(self) -> str:
        return ", ".join(" x ".join(map(str, shape)) for shape in self.shapes)


def export_run(
    run: Path,
    target: Path,
    *,
    tolerance: float,
    settings: tuple[str, ...] = (),
    about: Mapping[str, Any] = {},
) -> list[Parity]:
    """Write `target` (.onnx) and the .safetensors beside it; return the parity at each size.

    `settings` change what does not touch the weights (temperature); `about` holds fields of the card. Raises
    ExportError when the graph drifts from PyTorch by more than `tolerance` in the recipe's unit; nothing is written
    then.
    """
    if target.suffix != ".onnx":
        raise ExportError(f"{target}: a model file ends in .onnx; name it so")
    state = load_latest(run)
    recipe = recipe_class(state.recipe)
    fixed = [text for text in settings if text.partition("=")[0] not in recipe.export_settings]
    if fixed:
        choices = ", ".join(recipe.export_settings) or "none"
        raise SettingError(f"--set {fixed[0]}: the training fixed that; what an export may set: {choices}")
    if "native_size" in about and recipe.task == "generate":
        raise SettingError(f"--native-size: {state.recipe} draws at the size it was trained at; leave it out")
    config = make_config(recipe, settings, **state.config)
    network = recipe.exported_network(config)
    network.load_state_dict(_averaged_weights(state.ema, recipe.exported))
    round_to_half(network.eval())
    graph = to_onnx(network, recipe, config)
    parity = measure_parity(network, graph, recipe, config)
    worst = max(parity, key=lambda one: one.difference)
    if worst.difference > tolerance:
        raise ExportError(
            f"{run}: the exported graph drifts from PyTorch by {worst.difference:.3g} at "
            f"{worst}, more than {tolerance:g}; nothing was written"
        )
    info = RunFolder(run).read_info()
    card = ModelCard(
        name=target.stem,
        task=recipe.task,
        inputs=recipe.inputs(config),
        outputs=recipe.outputs(config),
        native_size=recipe.native_size(config),
        size_multiple=recipe.size_multiple,
        recipe=state.recipe,
        settings=vars(config),
        data=", ".join(Path(path).name for path in info.data),
        step=state.step,
        seed=state.seed,
        metrics={},
        metrics_command="",
        licence="Apache-2.0",
        version=__version__,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        hardware=info.hardware,
        seconds=RunFolder(run).seconds() or None,
        classes=tuple(info.classes) if any(spec.name == "label" for spec in recipe.inputs(config)) else (),
    )
    _write(target, graph, network, replace(card, **about))
    return parity


def _averaged_weights(ema: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"averages.{name}."
    return {key.removeprefix(prefix): value for key, value in ema.items() if key.startswith(prefix)}


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round the kernels to what fp16 holds, in place; norms and biases keep float32, they are few."""
    for parameter in network.parameters():
        if parameter.ndim >= 2:
            parameter.copy_(parameter.half())


@torch.no_grad()
def measure_parity(network: nn.Module, graph: bytes, recipe: type[Recipe], config: Recipe.Config) -> list[Parity]:
    """ONNX Runtime against PyTorch on random inputs of several sizes, in the recipe's unit (ab, not ab / 110)."""
    runtime = OnnxRuntime(graph, device="cpu", threads=1)
    generator = torch.Generator().manual_seed(0)
    results = []
    for sizes in PARITY_SIZES:
        inputs = [_random_input(spec, sizes, generator) for spec in recipe.inputs(config)]
        difference = runtime.run(*(one.numpy() for one in inputs)) - network(*inputs).numpy()
        shapes = tuple(tuple(one.shape) for one in inputs)
        results.append(Parity(shapes, float(np.abs(difference).max()) * recipe.output_scale, recipe.output_unit))
    return results


def _random_input(spec: TensorSpec, sizes: Mapping[str, int], generator: torch.Generator) -> Tensor:
    """Evenly drawn within the input's range; pictures are smooth."""
    shape = fill_shape(spec, sizes)
    low, high = spec.range
    if len(shape) < 4:
        return torch.rand(shape, generator=generator) * (high - low) + low
    height, width = shape[-2:]
    coarse = torch.rand(*shape[:2], max(1, height // 16), max(1, width // 16), generator=generator)
    smooth = nn.functional.interpolate(coarse * (high - low) + low, (height, width), mode="bicubic")
    return smooth.clamp(low, high)


def _write(target: Path, graph: bytes, network: nn.Module, card: ModelCard) -> None:
    from safetensors.torch import save

    weights = {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim >= 2 else tensor
        for name, tensor in network.state_dict().items()
    }
    content = save({name: tensor.contiguous() for name, tensor in weights.items()})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_at_once(target, attach_card(graph, card))
        write_at_once(target.with_suffix(".safetensors"), card_for_weights(content, card))
    except OSError as error:
        raise ExportError(f"{target}: {why_not(error, 'written')}") from error
