"""How far steering goes, as one table: what hints bring, what of them crosses an edge, what they cost; what priors do.

    python benchmarks/steer.py --data photos-val.tar people-val.tar       every row of hints
    python benchmarks/steer.py --data photos-val.tar --lpips-weights alexnet-features.pth     and of priors
    python benchmarks/steer.py edges cost                                 what needs no photos
    python benchmarks/steer.py hints --data FOLDER --limit 40 --seed 1    40 photos of it

Photos have colour and are held out of training; they are brought to about 256 x 256 px. The seed draws the hints'
places. The rows of priors are those of steer_prior.py, which says how they are measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from steer_prior import measured_half, rows
from steering_rows.hints import cost_rows, edge_rows, gain_rows
from steering_rows.subject import Row, Subject
from whole_process import ROOT, print_table

from img2img.data.image_source import JoinedSource
from img2img.data.open_source import open_source
from img2img.inference.colorizer import Colorizer

Measure = Callable[[Subject], Iterator[Row]]
WITHOUT_PHOTOS = {"edges", "cost"}
TITLE = ("what", "must reach", "measured", "median photo")


def prior_rows(subject: Subject) -> Iterator[Row]:
    """Of every second photo: the others chose the constants."""
    assert subject.lpips_weights
    halves = [measured_half(open_source([each]), subject.limit or len(open_source([each]))) for each in subject.data]
    measured = rows(JoinedSource(halves), subject.lpips_weights, seed=subject.seed, colorizer=subject.colorizer)
    yield from ((*row, "") for row in measured)


ROWS: dict[str, Measure] = {"hints": gain_rows, "edges": edge_rows, "cost": cost_rows, "prior": prior_rows}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--data", nargs="+", default=[], help="folders or tar files of colour photos, held out")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of each, the first by name")
    parser.add_argument("--limit", type=int, help="so many of each, at equal steps; all of them by default")
    parser.add_argument("--seed", type=int, default=0, help="of the hints' places")
    parser.add_argument("--model", default=str(ROOT / "checkpoints" / "colorizer.onnx"))
    parser.add_argument("--lpips-weights", type=Path, help="AlexNet's, for the rows of priors")
    options = parser.parse_args()
    options.rows = options.rows or [name for name in ROWS if name != "prior" or options.lpips_weights]
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}: choose from {', '.join(ROWS)}")
    if set(options.rows) - WITHOUT_PHOTOS and not options.data:
        parser.error("name photos with --data")
    if "prior" in options.rows and not options.lpips_weights:
        parser.error("prior measures LPIPS: give --lpips-weights")
    return options


def main() -> None:
    options = parse()
    subject = Subject(
        Colorizer(options.model),
        options.model,
        options.data,
        options.skip,
        options.limit,
        options.seed,
        options.lpips_weights,
    )
    print_table([row for name in options.rows for row in ROWS[name](subject)], TITLE)


if __name__ == "__main__":
    main()
