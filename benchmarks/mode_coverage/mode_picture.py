"""The picture of benchmarks/modes.py: what each loss's generator draws, over the 25 Gaussians that it should."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mode_coverage.gaussian_modes import SIDE, SPACING, modes

LIMIT = SIDE * SPACING / 2 + 0.5


def save_panels(drawn: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """A panel for each title, its points (N, 2) in colour over the modes' centres."""
    from matplotlib.figure import Figure

    columns = min(4, len(drawn))
    lines = -(-len(drawn) // columns)
    figure = Figure(figsize=(3 * columns, 3.2 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (title, points) in zip(panels, drawn.items(), strict=False):
        axes.scatter(*modes().T.tolist(), s=60, c="#cccccc", linewidths=0)
        axes.scatter(*zip(*points, strict=True), s=2, c="#1f5fa8", linewidths=0)
        axes.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
        axes.set_title(title, fontsize=9)
    figure.savefig(path, dpi=100)
