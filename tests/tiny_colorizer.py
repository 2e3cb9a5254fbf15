"""A colorizer as PyTorch opens it: the network that ships, its weights drawn at random, in a few milliseconds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from tiny_model import CARD, tiny_model, write_tiny_model
from torch import Tensor

from img2img.model_file import card_for_weights
from img2img.networks.ab_network import AbNetwork

OWN = {"temperature": 0.4, "saturation": 1.1}


def drawn_frequency(classes: int) -> Tensor:
    """(Q,) that sum to 1: some colours are a thousand times as frequent as others."""
    rarity = torch.rand(classes, generator=torch.Generator().manual_seed(7)) * 7
    return torch.softmax(-rarity, 0)


def write_colorizer(path: Path, *, frequency: bool = True, **changes: Any) -> AbNetwork:
    """The network, and a model file of it; its .onnx beside it colours all orange, so the two can be told apart."""
    torch.manual_seed(0)
    network = AbNetwork(**OWN)
    assert network.unet.head.bias is not None
    torch.nn.init.normal_(network.unet.head.bias, std=3)
    network.train()
    network(torch.rand(4, 1, 64, 64) * 2 - 1)  # gives the norms statistics to go by
    weights = network.eval().state_dict()
    if frequency:
        weights = {**weights, "frequency": drawn_frequency(len(network.quantised))}
    changes = {"settings": OWN, "name": path.stem, **changes}
    write_tiny_model(path, tiny_model(0.2, 0.4), **changes)
    path.with_suffix(".safetensors").write_bytes(card_for_weights(save(weights), replace(CARD, **changes)))
    return network
