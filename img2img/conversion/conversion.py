"""One conversion, ready to run: what comes of it, and what is known of it beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from img2img.batch.outcome import Outcome

FilmProgress = Callable[[Path, int, int], None]
"""Called with a film, its frames that are done, and about how many there are: 0 for unknown."""


@dataclass(frozen=True)
class Conversion:
    """What `open_conversion` gives.

    `outcomes` converts as it is iterated. `records` are of every photo of this run, those included that nothing is to
    be done for: `left_alone` gives these, before the work, and `skipped` counts them for each reason. `total`: how many
    outcomes are to come, 0 where nobody knows. `to_stdout`: standard output is the result's.
    `passed_over`: files beside the photos, in words.
    `one_photo`: by itself, so that nothing is left to go on from once it is stopped.
    """

    outcomes: Iterator[Outcome]
    records: Callable[[], Iterable[Outcome]]
    total: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_alone: Callable[[], Iterator[Outcome]] = lambda: iter(())
    passed_over: Callable[[], str] = lambda: ""
    to_stdout: bool = False
    films: bool = False
    one_photo: bool = False


def recorded(
    outcomes: Iterable[Outcome], *, films: bool = False, total: int = 1, to_stdout: bool = False
) -> Conversion:
    """A conversion that keeps its few outcomes in memory."""
    kept: list[Outcome] = []

    def keeping() -> Iterator[Outcome]:
        for outcome in outcomes:
            kept.append(outcome)
            yield outcome

    return Conversion(keeping(), lambda: kept, total=total, to_stdout=to_stdout, films=films, one_photo=not films)
