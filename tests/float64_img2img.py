"""`img2img` in float64, for comparing two orders of summation whose rounding in float32 Adam enlarges.

Takes several commands, `then` between them: one start of Python and torch does for all.
"""

import os
import sys
from collections.abc import Iterator
from functools import partial

import torch
import torch.distributed as dist
from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]

from img2img.cli.app import main  # noqa: E402

THEN = "then"
INIT = dist.init_process_group


def commands(words: list[str]) -> Iterator[list[str]]:
    while THEN in words:
        yield words[: words.index(THEN)]
        words = words[words.index(THEN) + 1 :]
    yield words


def run(words: list[str]) -> None:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as done:
        if done.code:
            raise


def meet_apart(number: int) -> None:
    """Has torchrun's processes meet under a name of this command's own: what another left there is none of theirs."""
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    dist.init_process_group = partial(
        INIT,
        store=PrefixStore(f"command {number}", store),
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )


if __name__ == "__main__":
    for number, words in enumerate(commands(sys.argv[1:])):
        if "RANK" in os.environ:
            meet_apart(number)
        run(words)
