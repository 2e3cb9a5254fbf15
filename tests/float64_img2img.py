"""`img2img` in float64, for comparing two orders of summation whose rounding in float32 Adam enlarges.

Takes several commands, `then` between them: one start of Python and torch does for all.
"""

import os
import sys
from collections.abc import Iterator

import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double  # type: ignore[assignment]

from img2img.cli.app import main  # noqa: E402

THEN = "then"


def commands(words: list[str]) -> Iterator[list[str]]:
    while THEN in words:
        yield words[: words.index(THEN)]
        words = words[words.index(THEN) + 1 :]
    yield words


def run(number: int, words: list[str]) -> None:
    """Under torchrun the processes of each command meet at an address that no other command had."""
    os.environ["TORCHELASTIC_RESTART_COUNT"] = str(number)
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as done:
        if done.code:
            raise


if __name__ == "__main__":
    for number, words in enumerate(commands(sys.argv[1:])):
        run(number, words)
