"""What a run runs on: the device, how many processes load its images, and how to say so."""

import os
import platform
import re
import shlex
import sys

import torch

from img2img.errors import SettingError
from img2img.inference.runtime import usable_cores
from img2img.training.distributed import OneProcess
from img2img.training.run_options import DEVICES

MOST_LOADERS = 8


def pick_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto` is the GPU where there is one, the `local_rank`-th for one of several processes on a machine.

    Raises SettingError for a device that is not here.
    """
    if not re.fullmatch(DEVICES, name):
        raise SettingError(f"--device {name}: no such device; take auto, cpu, cuda or cuda:N")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SettingError("--device cuda: PyTorch sees no CUDA GPU here; leave --device away")
    if name == "cuda" and local_rank >= torch.cuda.device_count():
        raise SettingError(
            f"process {local_rank + 1} of this machine has no GPU of its own: there are {torch.cuda.device_count()}; "
            "start as many processes with --nproc-per-node"
        )
    device = torch.device("cuda", local_rank) if name == "cuda" else torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingError(f"--device {name}: there are {torch.cuda.device_count()} GPUs here, numbered from 0")
    return device


def loader_processes(device: torch.device) -> int:
    """How many decode images beside each training process: none on the CPU, where they would take its cores."""
    if device.type == "cpu":
        return 0
    return min(MOST_LOADERS, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))


def command_line(processes: OneProcess) -> str:
    """The command that started this process, as a person would type it."""
    return shlex.join([*_launcher(processes), *sys.argv[1:]])


def _launcher(processes: OneProcess) -> list[str]:
    if processes.world == 1:
        return ["img2img"]
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes.world))
    machines = [] if here == processes.world else ["--nnodes", str(processes.world // here)]
    return ["torchrun", *machines, "--nproc-per-node", str(here), "-m", "img2img"]


def hardware(device: torch.device) -> str:
    """The processor that does the work."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} of {os.cpu_count()} CPU cores, {platform.machine()}"
