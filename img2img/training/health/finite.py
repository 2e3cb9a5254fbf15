"""Finds what is not finite any more, with one wait for the device, and ends the run over it."""

from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path

import torch
from torch import Tensor

from img2img.errors import RunError
from img2img.saved_states import state_files


@torch.no_grad()
def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of the floating tensors that hold a NaN or an infinity."""
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel()}
    if not floating:
        return []
    largest = torch.stack([norm.double() for norm in torch._foreach_norm(list(floating.values()), inf)])
    return [name for name, value in zip(floating, largest.tolist(), strict=True) if not isfinite(value)]


def refuse_what_is_not_finite(run: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises RunError, with what can still be had of the run in this folder."""
    bad = not_finite(tensors)
    if not bad:
        return
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    verb = "is" if len(bad) == 1 else "are"
    remedy = "start again with a lower learning rate"
    if state_files(run):
        remedy = (
            "the last saved state is still good: `img2img export` it, then start a new run from its .safetensors "
            "with --init and a lower learning rate"
        )
    raise RunError(f"{run}: {', '.join(bad[:3])}{more} {verb} not finite any more; {remedy}")
