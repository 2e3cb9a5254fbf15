"""Sums and joins over the processes of a run, and what it means when one of them is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from img2img.errors import RunError


@contextmanager
def all_alive() -> Iterator[None]:
    """Turns what gloo and NCCL raise when a connection breaks, or nobody answers, into a RunError."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise RunError(
            f"a process of the run died or stopped answering ({' '.join(str(error).split())[:160]}); the states saved "
            "so far are whole: go on from the last one with --resume, in any number of processes"
        ) from error


def sum_over_processes(values: Tensor) -> Tensor:
    """A new tensor, the same in all processes; no gradient."""
    total = values.detach().clone(memory_format=torch.contiguous_format)
    with all_alive():
        dist.all_reduce(total)
    return total


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean over the processes, elementwise; a new tensor."""
    return sum_over_processes(values) / dist.get_world_size()


def joined_over_processes(rows: Tensor) -> Tensor:
    """A new tensor, the same in all processes: the equally many rows of each, in the order of ranks; no gradient."""
    mine = rows.detach().contiguous()
    parts = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    with all_alive():
        dist.all_gather(parts, mine)
    return torch.cat(parts)


class DifferentiableSum(torch.autograd.Function):
    """The same with a gradient: what one process adds reaches the losses of all. Can be differentiated twice."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return sum_over_processes(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        return DifferentiableSum.apply(*gradients)
