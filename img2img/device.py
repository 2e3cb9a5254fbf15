"""The device that PyTorch computes on, by its name. Imports torch only to pick one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from img2img.errors import SettingError

if TYPE_CHECKING:
    import torch

DEVICES = r"auto|cpu|cuda(:\d+)?"
"""A regular expression of their names."""


def pick_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto` is the GPU where there is one, the `local_rank`-th for one of several processes on a machine.

    Raises SettingError for a device that is not here.
    """
    import torch

    if not re.fullmatch(DEVICES, name):
        raise SettingError(f"--device {name}: no such device; take auto, cpu, cuda or cuda:N")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SettingError("--device cuda: PyTorch sees no CUDA GPU here; leave out --device")
    if name == "cuda" and local_rank >= torch.cuda.device_count():
        raise SettingError(
            f"process {local_rank + 1} of this machine has no GPU of its own: there are {torch.cuda.device_count()}; "
            "start as many processes with --nproc-per-node"
        )
    device = torch.device("cuda", local_rank) if name == "cuda" else torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingError(f"--device {name}: there are {torch.cuda.device_count()} GPUs here, numbered from 0")
    return device
