"""How a training was started and what it runs on, and what that can do."""

import os
import platform
import shlex
import sys

import torch

from img2img.machine import usable_cores
from img2img.training.processes.distributed import OneProcess

MOST_LOADERS = 8


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


def computes_bf16(device: torch.device) -> bool:
    """Whether a processor has instructions for bfloat16: many of AMD's from 2022 and Intel's from 2023 on."""
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # newer than the oldest PyTorch that will do
        return False
    has = torch.cpu.get_capabilities()
    return any(has.get(name) for name in ("avx512_bf16", "amx_bf16"))


def hardware(device: torch.device) -> str:
    """The processor that does the work."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} of {os.cpu_count()} CPU cores, {platform.machine()}"
