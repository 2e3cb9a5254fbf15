"""What is said of a picture that a command draws of figures: its own earlier one is drawn again in its place."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from img2img.atomic_file import exists


@contextmanager
def named_when_drawn(picture: Path) -> Iterator[None]:
    """Names the picture on standard error once the block has written it, and says whether there was one before."""
    was_there = exists(picture)
    yield
    print(f"{picture}: {'drawn, in place of what was there' if was_there else 'drawn'}", file=sys.stderr)
