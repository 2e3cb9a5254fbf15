"""A run's curves as one picture: losses, how often the discriminator is right, quality, gradients, health, speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import RunError
from img2img.photo.metadata.drawn_by import drawing_exif
from img2img.plotting import drawable, private_matplotlib
from img2img.runs.run_records import RunRecords, Stretch, figures, levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
Curves = dict[str, tuple[Numbers, Numbers]]
"""Name -> (steps, values)."""

_SHARES = {"real_right", "fake_right"}
_PENALTIES = {"penalty", "r1", "r2"}  # far smaller than the losses beside them
_SMOOTHED_FROM = 60  # records; fewer are drawn as they are
_WIDTH, _PANEL_HEIGHT = 11.0, 2.4  # inches
_COLOURS = ("#1f6fb4", "#d9722b", "#3a9a4c", "#8a5bb5", "#b8932b", "#4aa5b5", "#c05a8e", "#707070")
_ALARM = "#c22f3c"


@dataclass
class CurvePanel:
    """One pair of axes: curves of one kind, and how to read them."""

    title: str
    curves: Curves = field(default_factory=dict)
    log: bool = False
    from_zero: bool = False
    limits: tuple[float, float] | None = None
    levels: dict[str, Sequence[float]] = field(default_factory=dict)
    """Name of a curve -> what it lies between: drawn as dashed lines."""


def draw_run(run: RunRecords, target: Path) -> None:
    """Writes the chart as a PNG that appears whole or not at all.

    Raises RunError when the run has no records yet, or the file cannot be written.
    """
    panels = run_panels(run)
    if not panels:
        raise RunError(f"{run.path}: no records to draw yet (no stats.jsonl in it); train it for some steps first")
    with private_matplotlib():
        figure = _drawn(run, panels)
        try:
            with written_at_once(target) as stream:
                figure.savefig(stream, format="png", dpi=110, pil_kwargs={"exif": drawing_exif("runs show")})
        except OSError as error:
            raise RunError(f"{target}: {reason_for(error, 'written')}") from error


def run_panels(run: RunRecords) -> list[CurvePanel]:
    """Which curves go together: by their names, and health figures from 0 to 1 on one scale."""
    stats, health = _curves(run.stats), _curves(run.health)
    panels = {
        "losses": CurvePanel("losses"),
        "penalties": CurvePanel("penalties", from_zero=True),
        "right": CurvePanel("share that the discriminator judges right", limits=(-0.04, 1.04)),
        "psnr": CurvePanel("PSNR in dB on held-out pairs; dashed: of the inputs"),
        "ssim": CurvePanel("SSIM on held-out pairs; dashed: of the inputs"),
        "kid": CurvePanel("KID x 1,000 on held-out images; dashed: of real and of untouched ones"),
        "fd": CurvePanel("Frechet distance on held-out images; dashed: of real and of untouched ones"),
        "gradients": CurvePanel("gradient norms", log=True),
        "shares": CurvePanel("health, from 0 to 1", limits=(-0.04, 1.04)),
        "speed": CurvePanel("images per second", from_zero=True),
    }
    for name, curve in stats.items():
        panels[_stats_panel(name)].curves[name] = curve
    for name, curve in _curves(run.quality).items():
        panel = panels[name.partition("_")[0]]
        panel.curves[name] = curve
        panel.levels[name] = levels(name, run.reference)
    for name, curve in health.items():
        key = "gradients" if "grad" in name else "shares" if _is_share(curve[1]) else name
        panels.setdefault(key, CurvePanel(f"health: {name}")).curves[name] = curve
    speed = panels.pop("speed")
    return [panel for panel in (*panels.values(), speed) if panel.curves]


def _stats_panel(name: str) -> str:
    if name == "images_per_second":
        return "speed"
    if "grad" in name:
        return "gradients"
    return "right" if name in _SHARES else "penalties" if name in _PENALTIES else "losses"


def _is_share(values: Numbers) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and finite.min() >= 0 and finite.max() <= 1


def _curves(records: Sequence[dict[str, Any]]) -> Curves:
    """By name, in the order of first appearance; what is not finite becomes a gap."""
    points: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        for name, value in figures(record).items():
            points.setdefault(name, []).append((record["step"], value if math.isfinite(value) else math.nan))
    return {name: (np.array(each).T[0], np.array(each).T[1]) for name, each in points.items()}


def _drawn(run: RunRecords, panels: list[CurvePanel]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _PANEL_HEIGHT * len(panels) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    steps = run.info["steps"]
    title = f"{run.path.resolve().name} ({run.info['recipe']}), step {run.step:,} of {steps:,}"
    figure.suptitle(drawable(title), x=0.01, ha="left", parse_math=False)
    rows: list[Axes] = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0].tolist()
    for axes, panel in zip(rows, panels, strict=True):
        _draw_panel(axes, panel)
        _mark(axes, run.findings, labelled=axes is rows[0])
    rows[-1].set_xlabel("step")
    return figure


def _draw_panel(axes: Axes, panel: CurvePanel) -> None:
    for number, (name, (steps, values)) in enumerate(panel.curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        smooth = _smoothed(values)
        if smooth is not None:
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
        marker = "o" if len(values) < 3 else None  # a single point makes no line
        axes.plot(
            steps,
            values if smooth is None else smooth,
            color=colour,
            linewidth=1.6,
            marker=marker,
            markersize=3,
            label=name,
        )
        for level in panel.levels.get(name, ()):
            axes.axhline(level, color=colour, linewidth=1.0, linestyle="--", alpha=0.7)
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.log and any(np.any(values > 0) for _, values in panel.curves.values()):
        axes.set_yscale("log", nonpositive="mask")
    elif limits := panel.limits or _robust_limits(panel):
        axes.set_ylim(0.0 if panel.from_zero else limits[0], limits[1])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)


def _smoothed(values: Numbers) -> Numbers | None:
    """The median over about a fiftieth of the curve to each side, gaps kept; None for a short curve."""
    if len(values) < _SMOOTHED_FROM:
        return None
    reach = max(1, len(values) // 50)
    padded = np.pad(values, reach, constant_values=math.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    there = np.isfinite(values)
    smooth = np.full(len(values), math.nan)
    smooth[there] = np.nanmedian(windows[there], axis=1)
    return smooth


def _robust_limits(panel: CurvePanel) -> tuple[float, float] | None:
    """The range of all but each curve's most extreme hundredth, so that one spike does not flatten the rest."""
    ranges = [np.array(bounds) for bounds in panel.levels.values()]
    for _, values in panel.curves.values():
        finite = values[np.isfinite(values)]
        if len(finite) >= _SMOOTHED_FROM:
            ranges.append(np.percentile(finite, [1, 99]))
        elif len(finite):
            ranges.append(np.array([finite.min(), finite.max()]))
    if not ranges:
        return None
    low, high = min(each.min() for each in ranges), max(each.max() for each in ranges)
    margin = 0.12 * (high - low) or 0.1 * abs(high) or 0.1
    return float(low - margin), float(high + margin)


def _mark(axes: Axes, findings: Sequence[Stretch], *, labelled: bool) -> None:
    """A line where a finding begins, a shade as long as it lasts, its name in the topmost panel."""
    for number, finding in enumerate(findings):
        axes.axvline(finding.first, color=_ALARM, linewidth=1.0, linestyle=(0, (4, 2)))
        if finding.last > finding.first:
            axes.axvspan(finding.first, finding.last, color=_ALARM, alpha=0.08, linewidth=0)
        if labelled:
            late = finding.first > 0.7 * axes.get_xlim()[1]  # a name to the right would leave the picture
            axes.annotate(
                finding.name,
                (finding.first, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(-4 if late else 4, -10 - 12 * (number % 5)),
                ha="right" if late else "left",
                textcoords="offset points",
                color=_ALARM,
                fontsize=9,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
                annotation_clip=False,
            )
