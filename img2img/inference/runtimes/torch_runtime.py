"""A model in PyTorch, for a GPU that ONNX Runtime does not reach. Only then imported: torch takes seconds."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import torch
from safetensors.torch import load_file
from torch import nn

from img2img.errors import ModelError
from img2img.lab import Floats
from img2img.model_file import ModelCard, read_card
from img2img.networks.optional_input import WithOptionalInput
from img2img.recipes import IMPORTED, build_exported, recipe_class


class TorchRuntime:
    """The network of `card` with the weights of a .safetensors file, on `device`."""

    def __init__(self, weights: Path, card: ModelCard, *, device: str = "cuda") -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError(f"{weights}: no GPU (PyTorch sees no CUDA device): use --device cpu")
        network = load_network(weights, card)
        self._device = torch.device(device)
        if len(card.outputs) > 1:
            network = recipe_class(card.recipe).with_options(network).eval()
        self._network = network.to(memory_format=torch.channels_last).to(self._device)
        self._one_at_a_time = Lock()  # the norms of a measured network share the statistics of one pass

    def run(self, *arrays: Floats) -> Floats:
        return self.run_all(*arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        try:
            with self._one_at_a_time, torch.inference_mode():
                return self._outputs(*arrays)
        except torch.OutOfMemoryError as error:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise MemoryError(f"the model needs more memory than the GPU has for input {shapes}") from error

    def _outputs(self, *arrays: Floats) -> tuple[Floats, ...]:
        inputs = [torch.from_numpy(array).to(self._device) for array in arrays]
        if not isinstance(self._network, WithOptionalInput):
            return (self._network(*inputs).cpu().numpy(),)
        if len(inputs) == 1:
            inputs.append(self._network.neutral().to(self._device))
        return tuple(output.cpu().numpy() for output in self._network(*inputs))


def load_network(weights: Path, card: ModelCard) -> nn.Module:
    """The network of `card` in float32 and eval mode, with the weights of a .safetensors file.

    Raises ModelError when the file is not there, or another model's.
    """
    if card.recipe == IMPORTED:
        raise ModelError(f"{weights}: imported models have no such file: on a GPU they need onnxruntime-gpu")
    if not weights.is_file():
        raise ModelError(f"{weights}: not there, and PyTorch needs it: keep the .safetensors beside the .onnx")
    held = read_card(weights).name
    if held != card.name:
        raise ModelError(f"{weights}: holds {held}, not {card.name}: fetch the pair again")
    recipe = recipe_class(card.recipe)
    network = build_exported(card)
    try:
        tensors = {name: value for name, value in load_file(weights).items() if name not in recipe.beside}
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"{weights}: does not fit recipe {card.recipe} ({error}): export it again") from None
    return network.float().eval()
