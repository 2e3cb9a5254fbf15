"""Weights as .safetensors: taken in by --init, written by export."""

from pathlib import Path

import torch
from torch import Tensor, nn

from img2img.errors import ModelError


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file; raises ModelError when it is none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a readable .safetensors file ({error})") from error


def initialise(network: nn.Module, path: Path) -> None:
    """Put the file's weights into the network; raises ModelError when they are another network's."""
    weights = {name: tensor.to(torch.float32) if tensor.is_floating_point() else tensor
               for name, tensor in load_weights(path).items()}  # fmt: skip
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[1:2]
        raise ModelError(
            f"{path}: weights of another network than this recipe trains ({''.join(reason).strip()[:160]})"
        ) from error
