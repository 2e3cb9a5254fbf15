"""What the health checks of a run have measured so far, each value by the median of the last few; and a finding."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

WINDOW = 3
"""Checks whose median counts, so that one odd batch raises no alarm."""
RIGHT = 0.99
"""Share of the logits on the right side that passes for always."""
JUDGES = ("discriminator", "discriminators", "critic")
"""What the generator's opponent is called."""


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong in a training."""

    name: str
    """"mode collapse", "duplicates", "vanishing gradients", "discriminator always right", "not finite", "runaway" and
    the player, "generator changes nothing", "colours inverted" or "background repainted"."""
    sentence: str
    """What is seen, with its figures, and what to do about it."""


class Course:
    """One value over the checks, by the median of the last few."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=WINDOW)
        self._highest: list[float] = []

    def add(self, value: float) -> None:
        self._last.append(value)
        if len(self._last) == WINDOW:
            self._highest.append(max([median(self._last), *self._highest[-1:]]))

    # NaN satisfies no comparison, so that nothing is found before there is enough to judge by
    @property
    def now(self) -> float:
        return median(self._last) if self._highest else math.nan

    @property
    def highest(self) -> float:
        """Of all medians."""
        return self._highest[-1] if self._highest else math.nan

    @property
    def highest_early(self) -> float:
        """Of the medians in the first third of the checks."""
        return self._highest[len(self._highest) // 3] if self._highest else math.nan


class History:
    """What the checks have measured so far."""

    def __init__(self) -> None:
        self.step = 0
        self.progress = 0.0
        self.players: tuple[str, ...] = ()
        self.steps_right = 0
        """Steps since the last check at which the discriminator was wrong about something."""
        self._courses: dict[str, Course] = {}
        self._last_wrong = 0

    @property
    def judge(self) -> str:
        """The player on the other side of the generator's; empty in a training that is no game."""
        return next((player for player in self.players if player in JUDGES), "")

    def __getitem__(self, name: str) -> Course:
        """The course of a scalar, a figure or "gradient of PLAYER"; of what was not measured, an empty one."""
        return self._courses.get(name, Course())

    def add(self, step: int, steps: int, players: Iterable[str], values: Mapping[str, float]) -> None:
        self.step, self.progress, self.players = step, step / steps, tuple(players)
        for name, value in values.items():
            self._courses.setdefault(name, Course()).add(value)
        if not (values.get("real_right", 0) >= RIGHT and values.get("fake_right", 0) >= RIGHT):
            self._last_wrong = step
        self.steps_right = step - self._last_wrong
