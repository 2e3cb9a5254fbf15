"""The figures of a colorizer as they stand on its card: of all photos, of each set, and of other ways to decode."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from img2img.data.image_source import JoinedSource
from img2img.data.open_source import open_source
from img2img.device import pick_device
from img2img.evaluation.colorizers.colorizer_score import score
from img2img.evaluation.colorizers.decodings import Decoding, Grid, decoded_ways
from img2img.evaluation.colorizers.measured_photos import Advance, MeasuredPhotos, measure_photos
from img2img.evaluation.colorizers.similarity import Lpips
from img2img.evaluation.request import COLORIZER_SIZE, EvaluationRequest
from img2img.evaluation.sets.comparison import FEWEST
from img2img.evaluation.sets.feature_network import feature_network
from img2img.inference.colorizer import Colorizer

CURVE = "temperature_curve"
SETS = "sets"


def colorizer_figures(request: EvaluationRequest, advance: Advance) -> dict[str, Any]:
    """The model as it ships; under "sets" each --data of several; under "temperature_curve" all that was asked for.

    Without "frechet_distance" where there are too few photos for one.
    """
    assert request.model
    sources = [open_source([item]) for item in request.data]
    source, device = JoinedSource(sources), pick_device("auto")
    size = request.size or COLORIZER_SIZE
    grid = Grid(request.temperatures, request.saturations, request.prior_corrections)
    decoded = decoded_ways(request.model, grid) if grid else []
    features = feature_network(request.features or "lite0", request.weights, device)
    measured = measure_photos(
        [Colorizer(request.model, threads=1), *(colorizer for _, colorizer in decoded)],
        source,
        size=size,
        lpips=Lpips(request.lpips_weights, device) if request.lpips_weights else None,
        features=features if len(source) >= FEWEST else None,
        advance=advance,
    )
    names = [Path(item).name for item in request.data]
    figures = score(measured).figures()
    if "frechet_distance" in figures:
        figures["features"] = features.name
    figures["measured_on"] = f"{len(measured)} photos of {', '.join(names)} at {size} px"
    if grey := len(source) - len(measured):
        figures["measured_on"] += f"; left out: {grey} without colour"
    if len(sources) > 1:
        figures[SETS] = _of_sets(measured, names, [len(each) for each in sources])
    if grid:
        figures[CURVE] = _of_decodings(measured, grid, [decoding for decoding, _ in decoded])
    return figures


def _of_sets(measured: MeasuredPhotos, names: Sequence[str], lengths: Sequence[int]) -> list[dict[str, Any]]:
    """A row each, and one of all; a set without photos of colour has none to count but them."""
    rows, first = [], 0
    for name, length in zip(names, lengths, strict=True):
        part = measured.between(first, first + length)
        rows.append({"set": name, **(score(part).row_of_set() if len(part) else {"photos": 0})})
        first += length
    return [*rows, {"set": "all", **score(measured).row_of_set()}]


def _of_decodings(measured: MeasuredPhotos, grid: Grid, decodings: Sequence[Decoding]) -> list[dict[str, float]]:
    return [{**grid.named(decoding), **score(measured, way).row()} for way, decoding in enumerate(decodings, 1)]
