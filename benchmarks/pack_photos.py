"""Packs photos of several sets into one tar of a given size, as they are; for a machine that little can be sent to.

Each set gives as many bytes as another until it has no more: sets named first fill up first where bytes do not divide.
"""

import argparse
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source

HEADER = 512
"""Bytes of a tar's header, and what each member's size is rounded up to."""


def main() -> None:
    """Write the tar and say how many photos of each set are in it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("target", type=Path)
    parser.add_argument("sets", nargs="+", help="tars or folders of photos")
    parser.add_argument("--megabytes", type=float, default=20, help="the tar's largest size in MiB [default: 20]")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos of each set")
    asked = parser.parse_args()
    sources = [open_source([name]) for name in asked.sets]
    counts = [0] * len(sources)
    with tarfile.open(asked.target, "w") as tar:
        for which, content in drawn(sources, int(asked.megabytes * 2**20) - 2 * HEADER, asked.seed):
            member = tarfile.TarInfo(f"{which}-{counts[which]:05}.webp")
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
            counts[which] += 1
    for name, count, source in zip(asked.sets, counts, sources, strict=True):
        print(f"{name}: {count:,} of {len(source):,} photos")


def drawn(sources: list[ImageSource], room: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Which source, and a photo's encoded bytes, until the next one has no room (in bytes, headers included)."""
    orders = [list(np.random.default_rng((seed, which)).permutation(len(s))) for which, s in enumerate(sources)]
    given = [0] * len(sources)
    while left := [which for which, order in enumerate(orders) if order]:
        which = min(left, key=lambda one: given[one])
        content = sources[which].encoded(int(orders[which].pop()))
        size = HEADER + -(-len(content) // HEADER) * HEADER
        if size > room:
            return
        room -= size
        given[which] += size
        yield which, content


if __name__ == "__main__":
    main()
