"""Which picture of one set belongs to which of another, by name; and how the two sides of a pair fit each other."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from img2img.data.data_item import Words, data_item
from img2img.errors import DataError, UsageError

MARKS = ("_A", "_B")
"""What CycleGAN's authors put at the end of every name of the one and of the other set, where they have pairs."""
SHAPES_APART = 0.01
"""How much the sides of a pair may differ in width over height, as a share, before one would be distorted."""


@dataclass(frozen=True)
class Matching:
    """Of two lists of names: places of those that belong together, in the order of their names, and of all others."""

    pairs: list[tuple[int, int]]
    only_a: list[int]
    only_b: list[int]
    repeated_a: list[tuple[int, int]]
    """What has the same name as another of its list, and the place of that other, which is first."""
    repeated_b: list[tuple[int, int]]


def matched(a: Sequence[str], b: Sequence[str]) -> Matching:
    """Names are paths with slashes within each set; they match without their suffix, and without `MARKS`."""
    keys_a, keys_b = list(map(_key, a)), list(map(_key, b))
    for one, other in (MARKS, MARKS[::-1]):
        if _all_end(keys_a, one) and _all_end(keys_b, other):
            keys_a, keys_b = ([key[: -len(one)] for key in keys] for keys in (keys_a, keys_b))
            break
    (first_a, repeated_a), (first_b, repeated_b) = _places(keys_a), _places(keys_b)
    return Matching(
        [(first_a[key], first_b[key]) for key in sorted(first_a.keys() & first_b.keys())],
        [place for key, place in first_a.items() if key not in first_b],
        [place for key, place in first_b.items() if key not in first_a],
        repeated_a,
        repeated_b,
    )


def _key(name: str) -> str:
    """Composed as one system writes it and decomposed as another, a letter is the same."""
    return unicodedata.normalize("NFC", str(PurePosixPath(name).with_suffix("")))


def _all_end(keys: Sequence[str], mark: str) -> bool:
    return bool(keys) and all(key.endswith(mark) for key in keys)


def _places(keys: Sequence[str]) -> tuple[dict[str, int], list[tuple[int, int]]]:
    first: dict[str, int] = {}
    repeated = [(place, first[key]) for place, key in enumerate(keys) if first.setdefault(key, place) != place]
    return first, repeated


def items_of_both(a: Words, b: Words) -> list[tuple[str | Path, str | Path]]:
    """The n-th item of a with the n-th of b; raises UsageError for more of one than of the other."""
    if len(a) != len(b):
        raise UsageError(
            f"--a given {_times(a)} and --b {_times(b)}: the pictures of each --a go with those of the --b at the "
            "same place"
        )
    return list(zip(a, b, strict=True))


def _times(words: Words) -> str:
    return "once" if len(words) == 1 else f"{len(words)} times"


def halves(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The left and the right half of (H, W, 3); DataError, without a file's name, for an odd width."""
    width = rgb.shape[1]
    if width % 2:
        raise DataError(f"{width} pixels wide, which has no two equal halves")
    return rgb[:, : width // 2], rgb[:, width // 2 :]


def misfit(a: tuple[int, int], b: tuple[int, int]) -> str:
    """Why two sizes (width, height) are not those of one pair: shapes that differ; empty where they do not."""
    one, other = a[0] * b[1], b[0] * a[1]
    return "" if abs(one - other) <= SHAPES_APART * max(one, other) else f"{a[0]} x {a[1]} and {b[0]} x {b[1]} pixels"


def trained_part(word: str | Path) -> str | Path:
    """A published set's `train` folder, where the set is named and it has `val` or `test` beside that; else the word.

    A weight stays.
    """
    name = data_item(word).name
    folder = Path(name)
    if not (folder / "train").is_dir() or not any((folder / other).is_dir() for other in ("val", "test")):
        return word
    return f"{folder / 'train'}{str(word).removeprefix(name)}"
