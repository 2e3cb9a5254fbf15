"""Patterns with * ? [ and ** that stand for photos: where they start, and which paths match."""

import fnmatch
import glob
from collections.abc import Sequence
from pathlib import Path

States = frozenset[int]


def split_pattern(path: Path) -> tuple[Path, tuple[str, ...]]:
    """A pattern as the folder that it names without wildcards, and the rest."""
    first = next(number for number, part in enumerate(path.parts) if glob.has_magic(part))
    return Path(*path.parts[:first]), path.parts[first:]


class Pattern:
    """Part by part what paths below a folder must be. A path's states are the numbers of the parts that may come next.

    So each folder is read once and no photo found twice, however many ** there are. Without parts, the pattern stands
    for the folder itself.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self.start = self._skipping({0})

    def after(self, states: States, name: str) -> States:
        ahead = [(number, self._parts[number]) for number in states if number < len(self._parts)]
        stay = {number for number, part in ahead if part == "**"}
        go_on = {number + 1 for number, part in ahead if part != "**" and fnmatch.fnmatch(name, part)}
        return self._skipping(stay | go_on) if stay or go_on else frozenset()

    def matched(self, states: States) -> bool:
        return len(self._parts) in states

    def goes_on(self, states: States) -> bool:
        return any(number < len(self._parts) for number in states)

    def _skipping(self, states: set[int]) -> States:
        """With those that follow from ** standing for no folder at all."""
        for number, part in enumerate(self._parts):
            if number in states and part == "**":
                states.add(number + 1)
        return frozenset(states)
