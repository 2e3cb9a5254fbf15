"""How far a film is read, and what was wrong with it up to there: all that an interrupted run goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LISTED = 3


@dataclass(frozen=True)
class Faults:
    """How many pictures something was wrong with, and the first ones' names."""

    count: int = 0
    names: tuple[str, ...] = ()

    def and_more(self, name: str, count: int = 1) -> Faults:
        """With so many more, of which the first is called `name`; "" where nobody knows."""
        if not count:
            return self
        listed = (*self.names, name) if name and len(self.names) < _LISTED else self.names
        return Faults(self.count + count, listed)

    def __str__(self) -> str:
        """ ": " and the names; empty where there are none."""
        more = self.count - len(self.names)
        return (
            (": " if self.names else "") + ", ".join(self.names) + (f" and {more} more" if self.names and more else "")
        )


@dataclass(frozen=True)
class Place:
    """How far a film is read: frames, the last one's time stamp and its end, in the stream's time base.

    orderly: all time stamps were there and rose. even: they rose by the same step, but for pictures that were lost.
    broken: pictures that cannot be decoded, or not well. scaled: those of another size than the first, `size`.
    without: what pictures had that a film has no room for.
    """

    frames: int = 0
    last: int | None = None
    end: int = 0
    orderly: bool = True
    even: bool = True
    broken: Faults = Faults()
    broken_at_end: bool = False
    scaled: Faults = Faults()
    size: tuple[int, int] | None = None
    without: tuple[str, ...] = ()

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Place:
        """What `dataclasses.asdict` made of one, and JSON of that."""
        kept = dict(values)
        for name in ("broken", "scaled"):
            kept[name] = Faults(kept[name]["count"], tuple(kept[name]["names"]))
        kept["size"] = tuple(kept["size"]) if kept["size"] else None
        return cls(**{**kept, "without": tuple(kept["without"])})

    def faults(self) -> list[str]:
        """In words, each of what was wrong."""
        said = []
        if self.broken.count:
            said.append(f"damaged: {self.broken.count} of its pictures cannot be read, or not well{self.broken}")
        if self.scaled.count and self.size:
            size = f"{self.size[0]} x {self.size[1]}"
            said.append(
                f"{self.scaled.count} of its pictures had another size than {size} and were scaled to it{self.scaled}"
            )
        return said


BEGINNING = Place()
