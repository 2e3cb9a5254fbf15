"""What `img2img evaluate` measured, as one picture of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import UnwritablePhoto
from img2img.model_file import name_of_model
from img2img.photo.metadata.drawn_by import drawing_exif
from img2img.plotting import drawable, private_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _BAR_HEIGHT, _PANEL_EDGES = 8.0, 0.36, 0.9  # inches
_OF_MODEL, _TO_COMPARE = "#1f6fb4", "#b9bfc6"


@dataclass(frozen=True)
class Bar:
    """One value; `interval` is drawn as a line across its end."""

    label: str
    value: float
    interval: Sequence[float] = ()


@dataclass(frozen=True)
class BarPanel:
    """Bars on one scale; the first is what was asked about, the others are to compare it with."""

    title: str
    bars: Sequence[Bar]


def draw_chart(figures: Mapping[str, Any], target: Path, *, model: str | None) -> None:
    """Writes the figures of a model, or of two folders, as a PNG that appears whole or not at all.

    Raises UnwritablePhoto.
    """
    panels = figure_panels(figures)
    title = f"{name_of_model(model)}: {figures['measured_on']}" if model else figures["measured_on"]
    with private_matplotlib():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        heights = [_PANEL_EDGES + _BAR_HEIGHT * len(panel.bars) for panel in panels]
        figure = Figure(figsize=(_WIDTH, sum(heights) + 0.4), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(drawable(title), x=0.01, ha="left", fontsize=11, parse_math=False)
        rows = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, panel in zip(rows, panels, strict=True):
            _draw(axes, panel)
        try:
            with written_at_once(target) as stream:
                figure.savefig(stream, format="png", dpi=110, pil_kwargs={"exif": drawing_exif("evaluate")})
        except OSError as error:
            raise UnwritablePhoto(f"{target}: {reason_for(error, 'written')}") from error


def figure_panels(figures: Mapping[str, Any]) -> list[BarPanel]:
    """Of a comparison of sets a panel for each distance; of pairs and of a colorizer one for each measure."""
    if "pairs" in figures:
        return _pair_panels(figures)
    if "compared" in figures:
        names = {"kid_x1000": "KID x 1000", "frechet_distance": "Frechet distance"}
        return [
            BarPanel(
                f"{title}, by features of {figures['features']} (less is nearer to the real pictures)",
                [Bar(row["pictures"], row[name], row[f"{name}_interval"]) for row in figures["compared"]],
            )
            for name, title in names.items()
        ]
    return _colorizer_panels(figures) + (_set_panels(figures["sets"]) if "sets" in figures else [])


def _pair_panels(figures: Mapping[str, Any]) -> list[BarPanel]:
    titles = {
        "psnr": "PSNR in dB (more is nearer to the targets)",
        "ssim": "SSIM (more is nearer)",
        "lpips": "LPIPS (less is nearer)",
        "frechet_distance": f"Frechet distance, by features of {figures['features']} (less is nearer)",
    }
    return [
        BarPanel(title, [Bar(row["pictures"], row[name]) for row in figures["pairs"]])
        for name, title in titles.items()
        if name in figures
    ]


def _colorizer_panels(figures: Mapping[str, Any]) -> list[BarPanel]:
    means = figures["means"]
    likeness = {
        "psnr": "PSNR in dB (more is nearer to the true photos)",
        "ssim": "SSIM (more is nearer)",
        "lpips": "LPIPS (less is nearer)",
    }
    panels = [
        BarPanel(title, [Bar("coloured", means[name]), Bar("grey", means[f"{name}_of_grey"])])
        for name, title in likeness.items()
        if name in means
    ]
    if "frechet_distance" in figures:
        bars = [Bar("coloured", figures["frechet_distance"]), Bar("grey", figures["frechet_distance_of_grey"])]
        title = f"Frechet distance, by features of {figures['features']} (less is nearer to the true photos)"
        panels.append(BarPanel(title, bars))
    colour = [Bar("coloured", means["colourfulness"]), Bar("true", means["colourfulness_of_truth"])]
    return [*panels, BarPanel("colourfulness (as much as the true photos' is best)", colour)]


def _set_panels(sets: Sequence[Mapping[str, Any]]) -> list[BarPanel]:
    """What decides, of all photos and of each set that has it."""
    titles = {
        "psnr_gain_db": "PSNR gain in dB by set (more is better)",
        "colourfulness_ratio": "colourfulness over the true photos' by set (1 is best)",
        "lpips": "LPIPS by set (less is nearer)",
        "frechet_distance": "Frechet distance by set (less is nearer; of unequal sets not comparable)",
    }
    panels = [
        BarPanel(title, [Bar(row["set"], row[name]) for row in (sets[-1], *sets[:-1]) if name in row])
        for name, title in titles.items()
    ]
    return [panel for panel in panels if panel.bars]


def _draw(axes: Axes, panel: BarPanel) -> None:
    places = range(len(panel.bars))
    colours = [_OF_MODEL, *[_TO_COMPARE] * (len(panel.bars) - 1)]
    axes.barh(places, [bar.value for bar in panel.bars], color=colours, height=0.7)
    for place, bar in enumerate(panel.bars):
        if bar.interval:
            axes.plot(bar.interval, [place, place], color="#333333", linewidth=1.4)
        end = max(bar.value, *bar.interval, 0)
        axes.annotate(
            f"{bar.value:.4g}", (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(places, [bar.label for bar in panel.bars])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(0, color="#333333", linewidth=0.8)
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
