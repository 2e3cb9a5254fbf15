"""Evaluating a model file: the figures, as a table and on its card."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from img2img.atomic_file import why_not, write_at_once
from img2img.errors import ModelError
from img2img.evaluation.contact_sheet import contact_sheet
from img2img.evaluation.evaluate import evaluate_colorizer
from img2img.evaluation.evaluate_sampler import evaluate_sampler
from img2img.inference.colorizer import Colorizer
from img2img.inference.sampler import Sampler
from img2img.model_file import find_model, read_card, rewrite_card
from img2img.training.image_source import ImageSource, open_source

CURVE = "temperature_curve"


def evaluate_file(
    model: str, data: Sequence[str | Path], *, size: int, temperatures: Sequence[float] = (), seed: int = 0
) -> dict[str, Any]:
    """The figures of a colorizer as it ships and, under "temperature_curve", at other temperatures; or of a sampler."""
    source = open_source(data)
    if read_card(find_model(model)).task == "generate":
        return evaluate_sampler(Sampler(model), source, seed=seed)
    figures: dict[str, Any] = evaluate_colorizer(Colorizer(model), source, size=size).figures()
    figures["measured_on"] = (
        f"{figures['means']['photos']} photos of {', '.join(Path(path).name for path in data)} at {size} px"
    )
    if temperatures:
        figures[CURVE] = [_at_temperature(model, value, source, size) for value in temperatures]
    return figures


def _at_temperature(model: str, temperature: float, source: ImageSource, size: int) -> dict[str, float]:
    from img2img.inference.torch_runtime import TorchRuntime

    path = find_model(model)
    card = read_card(path)
    if "temperature" not in card.settings:
        raise ModelError(f"{path}: recipe {card.recipe} has no temperature; leave --temperatures away")
    card = replace(card, settings={**card.settings, "temperature": temperature})
    runtime = TorchRuntime(path.with_suffix(".safetensors"), card, device="cpu")
    score = evaluate_colorizer(Colorizer(model, runtime=runtime), source, size=size).figures()
    return {"temperature": temperature} | {name: score[name] for name in ("psnr_gain_db", "colourfulness_ratio")}


def draw_sheet(model: str, data: Sequence[str | Path], sheet: Path, *, count: int, seed: int) -> None:
    """Write a contact sheet of photos as the model colours them."""
    contact_sheet(Colorizer(model), open_source(data), sheet, count=count, seed=seed)


def save_figures(model: str, figures: dict[str, Any], command: str) -> None:
    """Put the figures and the command that prints them on the card of the .onnx and of the .safetensors beside it."""
    path = find_model(model)
    for file in (path, path.with_suffix(".safetensors")):
        if file.is_file():
            card = replace(read_card(file), metrics=figures, metrics_command=command)
            _write(file, rewrite_card(file, card))


def _write(file: Path, content: bytes) -> None:
    try:
        write_at_once(file, content)
    except OSError as error:
        raise ModelError(f"{file}: the card cannot be written: {why_not(error, 'written')}") from error


def table(figures: dict[str, Any]) -> str:
    """The figures as lines for a terminal."""
    rows = {name: value for name, value in figures.items() if name not in ("means", CURVE)}
    rows |= figures.get("means", {})
    lines = [f"{name:24} {value}" for name, value in rows.items()]
    for point in figures.get(CURVE, []):
        lines.append("  ".join(f"{name} {value}" for name, value in point.items()))
    return "\n".join(lines)
