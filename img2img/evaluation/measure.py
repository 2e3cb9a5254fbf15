"""What `img2img evaluate` measures of a model file or of two folders: the figures, and on the model's card."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from img2img.atomic_file import reason_for, write_at_once
from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source
from img2img.data.training_data import split_off_last
from img2img.device import pick_device
from img2img.errors import ModelError, SettingError, UsageError
from img2img.evaluation.colorizers.colorizer_figures import CURVE, SETS, colorizer_figures
from img2img.evaluation.colorizers.measured_photos import Advance
from img2img.evaluation.colorizers.similarity import ALEXNET_FILE
from img2img.evaluation.pairs.pair_figures import PAIRS, pair_figures
from img2img.evaluation.request import EvaluationRequest
from img2img.evaluation.score import evaluate_score
from img2img.evaluation.sets.comparison import FEWEST, Compared, compare_sources, compare_translated
from img2img.evaluation.sets.feature_network import PooledFeatures, feature_network
from img2img.evaluation.sets.pictures import at_size, measured_part
from img2img.evaluation.subject.change_outside import change_outside
from img2img.inference.sampler import Sampler
from img2img.inference.scorer import Scorer
from img2img.inference.translator import Translator
from img2img.model_file import ModelCard, find_model, read_card, rewrite_card
from img2img.recipes.translation.subject_class import class_indices
from img2img.text_table import text_list, text_table

Data = Sequence[str | Path]

COMPARED = "compared"
CHANGE = "change"
SCORE = "score"


def measure(request: EvaluationRequest, advance: Advance = lambda done, total: None) -> dict[str, Any]:
    """The figures that were asked for; raises UsageError for options that do not go together.

    `advance` hears of the photos of a colorizer, of pairs, and of those looked through for a translator's subject.
    """
    subject = request.subject()
    if subject == "folders":
        return _folder_figures(request)
    if subject == "translate":
        return _translator_figures(request, advance)
    if subject == "pairs":
        return pair_figures(request, advance)
    if subject == "score":
        return _score_figures(request)
    if subject == "colorize":
        return colorizer_figures(request, advance)
    from img2img.evaluation.evaluate_sampler import evaluate_sampler  # brings what trains, a second by itself

    assert request.model
    return evaluate_sampler(Sampler(request.model), open_source(request.data), seed=request.seed)


def _subject_classes(request: EvaluationRequest) -> list[int]:
    try:
        return class_indices(request.subject_class) if request.subject_class else []
    except SettingError as error:
        raise UsageError(f"--{error}") from error


def _translator_figures(request: EvaluationRequest, advance: Advance) -> dict[str, Any]:
    """Distances of translated pictures to real ones of the target domain, and of the same untouched."""
    assert request.model
    classes = _subject_classes(request)
    features, held_out = _features(request), request.held_out or 0
    source = measured_part(open_source(request.data), held_out)
    targets, last = split_off_last(open_source(request.real), held_out)
    translate = at_size(Translator(request.model), request.size)
    rows = compare_translated(
        translate, source, targets, features, held_out=last if held_out else None, seed=request.seed
    )
    figures = _distances(rows, features, _measured_on(request, source, request.real))
    if classes:
        changed = change_outside(translate, source, classes, advance)
        figures[CHANGE] = changed.figures() if changed else {"pictures_with_subject": 0}
    return figures


def _score_figures(request: EvaluationRequest) -> dict[str, Any]:
    """How well the score tells the translator's own pictures from strangers."""
    assert request.model
    own = measured_part(open_source(request.data), request.held_out or 0)
    figures = evaluate_score(Scorer(Translator(request.model)), own, open_source(request.strangers))
    return {SCORE: {**figures, "measured_on": _measured_on(request, own, request.strangers)}}


def _measured_on(request: EvaluationRequest, source: ImageSource, beside: Data) -> str:
    part = f"the last {len(source)} by name of " if request.held_out else ""
    return f"{part}{_names(request.data)} beside {_names(beside)}"


def _folder_figures(request: EvaluationRequest) -> dict[str, Any]:
    """Distances of any pictures to real ones."""
    features = _features(request)
    rows = compare_sources(open_source(request.fake), open_source(request.real), features, seed=request.seed)
    return _distances(rows, features, f"{_names(request.fake)} beside {_names(request.real)}")


def _features(request: EvaluationRequest) -> PooledFeatures:
    return feature_network(request.features or "lite0", request.weights, pick_device("auto"))


def _distances(rows: Sequence[Compared], features: PooledFeatures, measured_on: str) -> dict[str, Any]:
    """The two that decide, then what they lie between."""
    figures = [row.figures() for row in rows]
    decide = {name: figures[0][name] for name in ("kid_x1000", "frechet_distance")}
    return {**decide, "features": features.name, "measured_on": measured_on, COMPARED: figures}


def _names(data: Data) -> str:
    return ", ".join(Path(path).name for path in data)


def save_figures(model: str, figures: dict[str, Any], command: str) -> None:
    """Put the figures and the command that prints them on the card of the .onnx and of the .safetensors beside it.

    Those of a score stand beside the others, with a command of their own.
    """
    path = find_model(model)
    for file in (path, path.with_suffix(".safetensors")):
        if file.is_file():
            _write(file, rewrite_card(file, _with_figures(read_card(file), figures, command)))


def _with_figures(card: ModelCard, figures: dict[str, Any], command: str) -> ModelCard:
    if SCORE in figures:
        return replace(card, metrics={**card.metrics, SCORE: {**figures[SCORE], "measured_by": command}})
    kept = {SCORE: card.metrics[SCORE]} if SCORE in card.metrics else {}
    return replace(card, metrics={**figures, **kept}, metrics_command=command)


def _write(file: Path, content: bytes) -> None:
    try:
        write_at_once(file, content)
    except OSError as error:
        raise ModelError(f"{file}: the card cannot be written: {reason_for(error, 'written')}") from error


def table(figures: dict[str, Any]) -> str:
    """The figures as lines for a terminal."""
    tables = ("means", SETS, CURVE, COMPARED, PAIRS, SCORE)
    rows = {name: value for name, value in figures.items() if name not in tables}
    rows |= figures.get("means", {}) | figures.get(SCORE, {})
    parts = [text_list([(name, _text(value)) for name, value in (rows | _not_measured(figures)).items()])]
    parts += [_tabled(figures[name]) for name in (SETS, CURVE, PAIRS) if name in figures]
    if COMPARED in figures:
        parts.append(_tabled([_shown(row) for row in figures[COMPARED]]))
    return "\n\n".join(parts)


def _not_measured(figures: dict[str, Any]) -> dict[str, str]:
    """What the figures of a colorizer or of pairs lack, and what it takes."""
    if "means" in figures:
        measured, looked_at = figures["means"], f"{figures['means']['photos']} photos with colour"
    elif PAIRS in figures:
        measured, looked_at = figures, f"{figures[PAIRS][0]['number']} pairs"
    else:
        return {}
    missing = {}
    if "lpips" not in measured:
        missing["lpips"] = f"not measured: --lpips-weights FILE takes AlexNet's, {ALEXNET_FILE}"
    if "frechet_distance" not in figures:
        missing["frechet_distance"] = f"not measured: {looked_at}, and it takes {FEWEST} or more"
    return missing


def _shown(row: dict[str, Any]) -> dict[str, str]:
    """A row of "compared" with each interval behind its value."""
    shown = {name: str(row[name]) for name in ("pictures", "number", "beside")}
    for name in ("kid_x1000", "frechet_distance"):
        low, high = row[f"{name}_interval"]
        shown[name] = f"{row[name]} ({low} to {high})"
    return shown


def _tabled(rows: list[dict[str, Any]]) -> str:
    """The columns in the order in which the rows name them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return text_table(names, [[str(row.get(name, "")) for name in names] for row in rows])


def _text(value: object) -> str:
    """A line each of what has names, such as the shares of classes."""
    return text_list([(name, str(each)) for name, each in value.items()]) if isinstance(value, dict) else str(value)
