"""Damage: what can happen to a file's parts and bytes, drawn from a generator, so that a seed says all of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from random import Random

from fuzz.containers import SPLITTERS
from fuzz.parts import Part, mend_all, number_at, number_bytes

_MENDED = 0.7  # of the files: a reader that refuses a wrong checksum looks no further
_TRUNCATED = 0.05
_HEADER_BYTES = 64  # of a part's content, which are more often fields than the rest
_MOST_CHANGES = 3
_TRIES = 5  # for a change that changes anything

Change = Callable[[Part, Random, Sequence[Part]], None]
"""Changes a tree. The last argument are whole trees of other files, to take parts of."""


def mutate(data: bytes, container: str, rng: Random, donors: Sequence[tuple[bytes, str]] = ()) -> bytes:
    """The file with one to three changes. `donors` are other files and their containers."""
    drawn = (_mutated(data, container, rng, donors) for _ in range(_TRIES))
    return next((changed for changed in drawn if changed != data), data + b"\0")


def _mutated(data: bytes, container: str, rng: Random, donors: Sequence[tuple[bytes, str]]) -> bytes:
    root = SPLITTERS[container](data)
    others = [SPLITTERS[kind](content) for content, kind in donors]
    for _ in range(rng.choice((1, 1, 1, 2, _MOST_CHANGES))):
        rng.choices(_CHANGES, _WEIGHTS)[0](root, rng, others)
    if rng.random() < _MENDED:
        mend_all(root)
    changed = bytes(root)
    return changed[: rng.randrange(len(changed) + 1)] if rng.random() < _TRUNCATED else changed


def drop(root: Part, rng: Random, others: Sequence[Part]) -> None:
    if places := list(root.places()):
        siblings, index = rng.choice(places)
        del siblings[index]


def duplicate(root: Part, rng: Random, others: Sequence[Part]) -> None:
    if places := list(root.places()):
        siblings, index = rng.choice(places)
        copies = [siblings[index].copy() for _ in range(rng.choice((1, 1, 1, 2, 50)))]
        siblings[index:index] = copies


def swap(root: Part, rng: Random, others: Sequence[Part]) -> None:
    lists = [part.parts for part in root.below() if len(part.parts) > 1]
    if lists:
        siblings = rng.choice(lists)
        one, other = rng.sample(range(len(siblings)), 2)
        siblings[one], siblings[other] = siblings[other], siblings[one]


def splice(root: Part, rng: Random, others: Sequence[Part]) -> None:
    """A part of another file, before or instead of one of this."""
    donated = [part for other in others for part in other.below()]
    places = list(root.places())
    if donated and places:
        siblings, index = rng.choice(places)
        siblings[index : index + rng.randrange(2)] = [rng.choice(donated).copy()]


def shorten(root: Part, rng: Random, others: Sequence[Part]) -> None:
    part = _part_with_body(root, rng)
    part.body = part.body[: rng.randrange(len(part.body) + 1)]


def lengthen(root: Part, rng: Random, others: Sequence[Part]) -> None:
    part = _part_with_body(root, rng)
    part.body += rng.choice((b"\0", b"\xff" * 3, part.body, rng.randbytes(rng.randrange(1, 300))))


def fill(root: Part, rng: Random, others: Sequence[Part]) -> None:
    part = _part_with_body(root, rng)
    part.body = rng.choice((b"\0", b"\xff", b"\x7f", b" ")) * len(part.body)


def flip_bits(root: Part, rng: Random, others: Sequence[Part]) -> None:
    _rewrite(root, rng, _flipped)


def set_number(root: Part, rng: Random, others: Sequence[Part]) -> None:
    """A field of one to eight bytes, in a header or at the start of a content, gets a value at some boundary."""
    _rewrite(root, rng, _with_number)


def repack(root: Part, rng: Random, others: Sequence[Part]) -> None:
    """What is packed with deflate is changed within, and packed again."""
    packed = [part for part in root.below() if _inflated(part.body)]
    if packed:
        part = rng.choice(packed)
        inside = _inflated(part.body)
        change = rng.choice((_flipped, _with_number, _halved, _doubled))
        part.body = zlib.compress(change(inside, rng), 1)


_WEIGHTED: dict[Change, int] = {
    **{drop: 2, duplicate: 2, swap: 2, splice: 3, shorten: 2, lengthen: 2},
    **{fill: 1, flip_bits: 4, set_number: 8, repack: 2},
}
_CHANGES, _WEIGHTS = list(_WEIGHTED), list(_WEIGHTED.values())


def _part_with_body(root: Part, rng: Random) -> Part:
    return rng.choice([part for part in root.below() if part.body] or [root])


def _rewrite(root: Part, rng: Random, change: Callable[[bytes, Random], bytes]) -> None:
    """Of some part the head, the body or the tail."""
    part = rng.choice([part for part in root.below() if part.head or part.body or part.tail] or [root])
    held = [(part.head, "head"), (part.body, "body"), (part.tail, "tail")]
    content, place = rng.choice([each for each in held if each[0]] or held[:1])
    changed = change(content, rng)
    if place == "head":
        part.head = changed
    elif place == "body":
        part.body = changed
    else:
        part.tail = changed


def _flipped(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8)) if content else 0):
        changed[_place(rng, len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _with_number(content: bytes, rng: Random) -> bytes:
    sizes = [size for size in (1, 2, 4, 8) if size <= len(content)]
    if not sizes:
        return content
    size, order = rng.choice(sizes), rng.choice("<>")
    at = _place(rng, len(content) - size + 1) // size * size if rng.random() < 0.7 else _place(rng, len(content))
    before = number_at(content, at, size, order)
    whole = 256**size
    values = (
        0,
        1,
        2,
        3,
        before - 1,
        before + 1,
        2 * before,
        whole // 2 - 1,
        whole // 2,
        whole - 1,
        rng.randrange(whole),
    )
    return content[:at] + number_bytes(rng.choice(values), size, order) + content[at + size :]


def _place(rng: Random, size: int) -> int:
    """One of `size`, every other time among the first."""
    return rng.randrange(min(size, _HEADER_BYTES) if rng.random() < 0.5 else size)


def _halved(content: bytes, rng: Random) -> bytes:
    return content[: len(content) // 2]


def _doubled(content: bytes, rng: Random) -> bytes:
    return content * 2


def _inflated(content: bytes) -> bytes:
    """Nothing, where it is not packed."""
    if len(content) < 8 or content[0] & 0x0F != 8:
        return b""
    try:
        return zlib.decompressobj().decompress(content, 1 << 20)
    except zlib.error:
        return b""
