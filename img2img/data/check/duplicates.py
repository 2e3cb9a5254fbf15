"""Images that are there twice: the very same pixels, or the same picture saved, scaled or cut a little differently."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from img2img.data.check.look import Content

# Measured on 25,738 photos (landscapes, animals, objects). Hashes that differ in at most 2 of 64 bits make 345 pairs,
# but 210 of them are different sunsets, moons and fogs: such pictures are one slope of brightness. Their thumbnails
# differ by 20 levels and more on average. Asking for both, the hash may be looser: 6 bits and 10 levels find 167
# pairs, and of those looked at each was the same motif. Within 6 bits stay 99% of photos that are saved again at JPEG
# quality 50, halved or enlarged, and 96% of those that are cut by 2 pixels a side.
HASH_BITS = 6
THUMBNAIL_LEVELS = 10.0


def exact_groups(contents: Sequence[Content]) -> list[list[int]]:
    """Indices of images with the same pixels, two or more a group, in order."""
    same: dict[bytes, list[int]] = defaultdict(list)
    for index, content in enumerate(contents):
        same[content.digest].append(index)
    return [group for group in same.values() if len(group) > 1]


def near_groups(contents: Sequence[Content]) -> list[list[int]]:
    """Indices of images that show the same, two or more a group, the largest image first, then in order.

    The time grows with the square of their number: half a second for 25,000, some ten seconds for 100,000.
    """
    if len(contents) < 2:
        return []
    hashes = np.array([content.hash for content in contents], np.uint64)
    thumbnails = np.stack([content.thumbnail.reshape(-1) for content in contents])
    # By mean brightness: images within so many levels everywhere are so on average, and the others need no look.
    brightness = thumbnails.mean(1)
    order = np.argsort(brightness, kind="stable")
    groups = _leaders(hashes[order], thumbnails[order], brightness[order])
    found = [
        sorted((int(order[place]) for place in group), key=lambda i: _largest_first(contents, i)) for group in groups
    ]
    return sorted(found)


def _largest_first(contents: Sequence[Content], index: int) -> tuple[int, int]:
    width, height = contents[index].size
    return -width * height, index


def _leaders(
    hashes: NDArray[np.uint64], thumbnails: NDArray[np.uint8], brightness: NDArray[np.float64]
) -> list[list[int]]:
    """Groups of a first image and those like it; one that is in a group leads none."""
    ends = np.searchsorted(brightness, brightness + THUMBNAIL_LEVELS, side="right")
    taken = np.zeros(len(hashes), bool)
    groups = []
    for leader, end in enumerate(ends):
        if taken[leader]:
            continue
        bits = np.bitwise_count(hashes[leader + 1 : end] ^ hashes[leader])
        alike = leader + 1 + np.flatnonzero((bits <= HASH_BITS) & ~taken[leader + 1 : end])
        apart = np.abs(thumbnails[alike].astype(np.int16) - thumbnails[leader]).mean(1)
        alike = alike[apart <= THUMBNAIL_LEVELS]
        if len(alike):
            taken[alike] = True
            groups.append([leader, *alike.tolist()])
    return groups
