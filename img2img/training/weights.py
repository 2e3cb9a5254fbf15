"""Weights as .safetensors, as --init takes them in."""

from pathlib import Path

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
    """Put the file's weights into the network, in its own precision; ModelError when they are another network's."""
    weights = load_weights(path)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[1:2]
        raise ModelError(
            f"{path}: weights of another network than this recipe trains ({''.join(reason).strip()[:160]})"
        ) from error
