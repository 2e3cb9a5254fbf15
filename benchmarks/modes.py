"""How many modes each loss covers: 25 Gaussians and 1,000 stacked digits, after as many steps of the generator.

    python benchmarks/modes.py                                      the whole table, 3 seeds
    python benchmarks/modes.py --json modes.json                    the same in pieces: what the file has is kept
    python benchmarks/modes.py --only gaussians --picture modes.png a part, and what each loss's generator draws

Every loss is played by the recipe that ships it, with its own optimizer, rates and number of critic updates.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mode_coverage import digit_modes, gaussian_modes
from mode_coverage.mode_game import LOSSES
from mode_coverage.mode_picture import save_panels

from img2img.atomic_file import write_at_once

Measured = dict[str, Any]
Measure = Callable[[str, int, int], Measured]
"""Loss, seed, steps -> what goes into the file."""


def measure_gaussians(loss: str, seed: int, steps: int) -> Measured:
    points = gaussian_modes.drawn_points(loss, seed, steps)
    return {"points": [[round(x, 3) for x in point] for point in points.tolist()]}


class MeasureDigits:
    """Reads the digits and trains their reader when the first loss is measured."""

    def __init__(self) -> None:
        self._ready: tuple[digit_modes.StackedDigits, digit_modes.Reader] | None = None

    def __call__(self, loss: str, seed: int, steps: int) -> Measured:
        if not self._ready:
            data = digit_modes.StackedDigits()
            self._ready = data, digit_modes.Reader(data)
        data, reader = self._ready
        pictures = digit_modes.drawn_pictures(loss, seed, steps, data)
        return {**asdict(digit_modes.read(pictures, reader)), "accuracy": reader.accuracy}


MEASURES: dict[str, tuple[Measure, int]] = {
    "gaussians": (measure_gaussians, gaussian_modes.STEPS),
    "digits": (MeasureDigits(), digit_modes.STEPS),
}


class Results:
    """What is measured, kept in a JSON file if one is given; a run that was cut off, or another beside it, uses it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Measured] = {}

    def of(self, game: str, loss: str, seed: int, steps: int) -> Measured:
        name = f"{game}, {loss}, seed {seed}, {steps} steps"
        self._take_stored()
        if name not in self._known:
            measured = MEASURES[game][0](loss, seed, steps)
            self._take_stored()
            self._known[name] = measured
            if self._path:
                write_at_once(self._path, json.dumps(self._known).encode())
        return self._known[name]

    def _take_stored(self) -> None:
        if self._path and self._path.exists():
            self._known.update(json.loads(self._path.read_text()))


def spread(figures: Sequence[float], unit: str) -> str:
    """The median, and from where to where when they differ."""
    low, middle, high = (unit.format(figure) for figure in (min(figures), median(figures), max(figures)))
    return middle if low == high else f"{middle} ({low} to {high})"


COLUMNS = {
    "gaussians": {
        "modes": ("modes of 25", "{:.0f}"),
        "enough": (f"by {gaussian_modes.ENOUGH} samples", "{:.0f}"),
        "divergence": ("KL, nats", "{:.2f}"),
        "quality": ("high quality", "{:.0%}"),
    },
    "digits": {
        "modes": ("modes of 1,000", "{:.0f}"),
        "divergence": ("KL, nats", "{:.2f}"),
        "sure": ("sure digits", "{:.0%}"),
    },
}


def figures(game: str, measured: Measured) -> Measured:
    """Those of the columns; of points they are counted anew."""
    if game == "gaussians":
        return asdict(gaussian_modes.covered(torch.tensor(measured["points"])))
    return measured


def rows(results: Results, games: dict[str, int], losses: Sequence[str], seeds: int) -> Iterator[list[str]]:
    """A line of the table for each loss, after its head; `games` tells the steps of each."""
    titles = [title for game in games for title, _ in COLUMNS[game].values()]
    yield ["loss", *titles]
    yield ["---"] * (1 + len(titles))
    for loss in losses:
        cells = [LOSSES[loss].title]
        for game, steps in games.items():
            measured = [figures(game, results.of(game, loss, seed, steps)) for seed in range(seeds)]
            cells += [spread([each[name] for each in measured], unit) for name, (_, unit) in COLUMNS[game].items()]
        yield cells


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MEASURES, help="one half of the table")
    parser.add_argument(
        "--losses", nargs="+", choices=LOSSES, default=list(LOSSES), metavar="LOSS", help="some of them"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of the generator, in the place of each game's own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what is measured here, and go on from it")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the points of each loss's first seed")
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    games = {game: options.steps or steps for game, (_, steps) in MEASURES.items() if options.only in (None, game)}
    results = Results(options.json)
    for seed in range(options.seeds):  # all losses with one seed first: a run that is cut off leaves a table
        for game, steps in games.items():
            for loss in options.losses:
                results.of(game, loss, seed, steps)
    for cells in rows(results, games, options.losses, options.seeds):
        print(f"| {' | '.join(cells)} |", flush=True)
    if "digits" in games:
        accuracy = results.of("digits", options.losses[0], 0, games["digits"])["accuracy"]
        print(f"\nThe digits' reader is right about {accuracy:.1%} of held-out digits.")
    if options.picture and "gaussians" in games:
        drawn = {loss: results.of("gaussians", loss, 0, games["gaussians"])["points"] for loss in options.losses}
        save_panels({LOSSES[loss].title: points for loss, points in drawn.items()}, options.picture)


if __name__ == "__main__":
    main()
