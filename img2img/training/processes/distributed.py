"""The processes that train one model: a single one, or several that torchrun started.

Gradients are averaged here, after each backward, and by no wrapper module: a GAN step calls one network several times,
differentiates through another, and twice through the critic for the gradient penalty.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from img2img.recipes.translation.image_pool import ImagePool
from img2img.training.processes.batch_norm import synchronise_batch_norm
from img2img.training.processes.collective import all_alive, joined_over_processes, mean_over_processes

PATIENCE = timedelta(minutes=10)
"""How long a process waits for another that lives but does not answer: above the longest save or look at quality."""


class OneProcess:
    """One process: it agrees with itself."""

    rank = 0
    world = 1
    local_rank = 0

    @property
    def leads(self) -> bool:
        """Whether this is the one process that writes, prints and shows."""
        return self.rank == 0

    def join(self, device: torch.device) -> None:
        """Meet the others; waits until all are there."""

    def leave(self) -> None:
        """Part from the others, who may still be at work."""

    def prepare(self, recipe: nn.Module) -> None:
        """Change what would be computed from this process's part of a batch alone; before optimizers are made."""

    def begin(self, recipe: nn.Module) -> None:
        """Start training from the same numbers as the others."""

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Turn the gradients of this process's part of a batch into those of the whole."""

    def average_buffers(self) -> None:
        """The same for what the networks count along the way; after each step."""

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the processes, elementwise."""
        return values

    def agree_to_stop(self, wanted: bool) -> bool:
        """Whether a process wants to stop: the same answer in all of them. Called once a step."""
        return wanted


class SeveralProcesses(OneProcess):
    """One of several processes, each with an equal part of every batch."""

    def __init__(self, rank: int, world: int, local_rank: int) -> None:
        self.rank, self.world, self.local_rank = rank, world, local_rank
        self._wish: tuple[Tensor, dist.Work | None] | None = None
        self._wishes: dist.ProcessGroup | None = None

    def join(self, device: torch.device) -> None:
        with all_alive():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
            # On the CPU whatever the device, so that asking it waits for no GPU.
            wishes = dist.new_group(backend="gloo", timeout=PATIENCE)
            assert isinstance(wishes, dist.ProcessGroup)
            self._wishes = wishes

    def leave(self) -> None:
        with all_alive():
            self._answer()  # nobody may go while somebody still waits for an answer
            dist.destroy_process_group()

    def prepare(self, recipe: nn.Module) -> None:
        synchronise_batch_norm(recipe)
        for module in recipe.modules():
            if isinstance(module, ImagePool):
                module.gather = joined_over_processes

    def begin(self, recipe: nn.Module) -> None:
        with all_alive():
            for tensor in recipe.state_dict().values():
                first = tensor.contiguous()
                dist.broadcast(first, src=0)
                tensor.copy_(first)
        self._buffers = _counted_along(recipe)
        self._before = _joined(self._buffers)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """One reduction for all; a parameter without a gradient here counts as zero, since it may have one there."""
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in trained if parameter.grad is not None]
        _spread(self.mean(_joined(gradients)), gradients)

    @torch.no_grad()
    def average_buffers(self) -> None:
        """Averages their change, so that what does not change stays as it is to the last bit."""
        if self._buffers:
            self._before = self._before + self.mean(_joined(self._buffers) - self._before)
            _spread(self._before, self._buffers)

    def mean(self, values: Tensor) -> Tensor:
        return mean_over_processes(values)

    def agree_to_stop(self, wanted: bool) -> bool:
        """Answers the question of the step before, which has travelled meanwhile: no step waits for the network."""
        with all_alive():
            answer = self._answer()
            if not answer:
                wish = torch.tensor([float(wanted)])
                self._wish = wish, dist.all_reduce(wish, group=self._wishes, async_op=True)
        return answer

    def _answer(self) -> bool:
        if self._wish is None:
            return False
        total, work = self._wish
        if work:
            work.wait()
        return bool(total > 0)


def processes_from(environment: Mapping[str, str] = os.environ) -> OneProcess:
    """What torchrun says of this process; alone when nothing started it as one of several."""
    world = int(environment.get("WORLD_SIZE", 1)) if "RANK" in environment else 1
    if world == 1:
        return OneProcess()
    return SeveralProcesses(int(environment["RANK"]), world, int(environment.get("LOCAL_RANK", 0)))


def _counted_along(recipe: nn.Module) -> list[Tensor]:
    """The floating buffers that a state keeps, but for those of batch norm, which are the same everywhere already."""
    counting = [module for module in recipe.modules() if not isinstance(module, nn.modules.batchnorm._BatchNorm)]
    return [
        buffer
        for module in counting
        for name, buffer in module.named_buffers(recurse=False)
        if buffer.is_floating_point() and name not in module._non_persistent_buffers_set
    ]


def _joined(tensors: list[Tensor]) -> Tensor:
    """All elements as one vector."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors]) if tensors else torch.empty(0)


@torch.no_grad()
def _spread(vector: Tensor, tensors: list[Tensor]) -> None:
    """Put the elements of `_joined` back."""
    parts = torch.split(vector, [tensor.numel() for tensor in tensors])
    torch._foreach_copy_(tensors, [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])
