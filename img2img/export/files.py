"""Model files and files of weights, each with its card."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from img2img.atomic_file import reason_for, write_at_once
from img2img.errors import ExportError
from img2img.model_file import ModelCard, attach_card, card_for_weights
from img2img.recipes.weights import AVERAGED
from img2img.runs.state import TrainState


def write_model(
    target: Path, graph: bytes, network: nn.Module, card: ModelCard, beside: Mapping[str, Tensor] = {}
) -> None:
    """The .onnx, and the same weights as .safetensors, kernels in half precision, with what goes `beside` them."""
    weights = {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim >= 2 else tensor
        for name, tensor in network.state_dict().items()
    }
    write_graph(target, graph, card)
    _write(target.with_suffix(".safetensors"), card_for_weights(_safetensors({**weights, **beside}), card))


def write_graph(target: Path, graph: bytes, card: ModelCard) -> None:
    """The .onnx alone."""
    _write(target, attach_card(graph, card))


def write_weights(target: Path, state: TrainState, card: ModelCard) -> None:
    """Every network of a run in full precision, to train on from, and the averages as "ema.NAME"."""
    averages = {AVERAGED + key.removeprefix("averages."): value for key, value in state.ema.items()}
    weights = _networks(state.networks) | averages
    _write(target, card_for_weights(_safetensors(weights), card))


def _networks(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what holds no weights, such as pools of images, which are whole numbers."""
    weighed = {name.split(".")[0] for name, tensor in tensors.items() if tensor.is_floating_point()}
    return {name: tensor for name, tensor in tensors.items() if name.split(".")[0] in weighed}


def _safetensors(weights: Mapping[str, Tensor]) -> bytes:
    from safetensors.torch import save

    return save({name: tensor.contiguous() for name, tensor in weights.items()})


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_at_once(target, content)
    except OSError as error:
        raise ExportError(f"{target}: {reason_for(error, 'written')}") from error
