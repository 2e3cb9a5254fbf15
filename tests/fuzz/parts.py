"""A file as a tree of parts: bytes that can be put together again, also after some were dropped, doubled or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


def leave(part: Part) -> None:
    """Of parts without a length or checksum."""


@dataclass
class Part:
    """`head`, then the content, `body` and the parts within, then `tail`.

    `mend` makes a length or checksum in head or tail true for what the part holds by now.
    """

    name: str
    head: bytes = b""
    body: bytes = b""
    parts: list[Part] = field(default_factory=list)
    tail: bytes = b""
    mend: Callable[[Part], None] = leave

    def __bytes__(self) -> bytes:
        return self.head + self.content + self.tail

    @property
    def content(self) -> bytes:
        return self.body + b"".join(map(bytes, self.parts))

    def places(self) -> Iterator[tuple[list[Part], int]]:
        """Where each part below this one stands: in whose list, as which."""
        for index, part in enumerate(self.parts):
            yield self.parts, index
            yield from part.places()

    def below(self) -> Iterator[Part]:
        """This part and all within it."""
        yield self
        for part in self.parts:
            yield from part.below()

    def copy(self) -> Part:
        return Part(self.name, self.head, self.body, [part.copy() for part in self.parts], self.tail, self.mend)


def mend_all(root: Part) -> None:
    """From the innermost to the outermost, whose lengths count what is within."""
    for part in root.parts:
        mend_all(part)
    root.mend(root)


def split_bytes(data: bytes) -> Part:
    """Eight or fewer ranges of equal length: for what has no splitter."""
    step = max(1, -(-len(data) // 8))
    ranges = (data[at : at + step] for at in range(0, len(data), step))
    return Part("bytes", parts=[Part(f"range {number}", body=each) for number, each in enumerate(ranges)])


def number_at(data: bytes, at: int, size: int, order: str = ">") -> int:
    """The unsigned number there; of bytes beyond the end, as if they were not."""
    return int.from_bytes(data[at : at + size], "little" if order == "<" else "big")


def number_bytes(value: int, size: int, order: str = ">") -> bytes:
    """The lower bytes of the number."""
    return (value % (1 << 8 * size)).to_bytes(size, "little" if order == "<" else "big")
