"""`img2img evaluate MODEL --data PHOTOS`: the figures on a model's card, printed again."""

from pathlib import Path
from typing import Annotated

import typer

from img2img.cli.picture_option import in_a_folder

PHOTO_SIZE = 256


def _check_temperatures(text: str | None) -> str | None:
    try:
        good = text is None or all(0 < float(part) <= 1 for part in text.split(","))
    except ValueError:
        good = False
    if not good:
        raise typer.BadParameter(f"{text}: give numbers above 0, at most 1, with commas between")
    return text


def evaluate(
    model: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A colorizer or a sampler.")],
    data: Annotated[list[str], typer.Option(help="Real pictures: a folder, a .tar or digits; repeatable.")],
    size: Annotated[
        int | None,
        typer.Option(min=32, help="Photos are brought to about this size, squared, in pixels [default: 256]."),
    ] = None,
    temperatures: Annotated[
        str | None,
        typer.Option(
            metavar="T,T,...",
            callback=_check_temperatures,
            help="Also measure at these, in PyTorch (needs the .safetensors).",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=in_a_folder(".png", ".jpg", ".webp"),
            help="Draw grey, coloured and true photos, chosen by --seed.",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Photos on the sheet.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the photos on the sheet, or a sampler's latents.")] = 0,
    save: Annotated[bool, typer.Option("--save", help="Write the figures on the model's card.")] = False,
) -> None:
    """Measure a model against real pictures.

    A colorizer on photos whose colours are known: PSNR beside the grey photos', and colourfulness. A sampler: how
    varied its pictures are, and how many of those that it draws for a class are of that class.
    """
    import json

    from img2img.evaluation.photo_options import draws_from_noise

    given = {"--size": size, "--temperatures": temperatures, "--sheet": sheet}
    sampler = draws_from_noise(model, [name for name, value in given.items() if value is not None])
    photo_size = None if sampler else size or PHOTO_SIZE

    from img2img.evaluation.report import draw_sheet, evaluate_file, save_figures, table

    curve = [float(value) for value in temperatures.split(",")] if temperatures else []
    figures = evaluate_file(model, data, size=photo_size or PHOTO_SIZE, temperatures=curve, seed=seed)
    print(json.dumps(figures, indent=2, allow_nan=False) if as_json else table(figures))
    if sheet:
        draw_sheet(model, data, sheet, count=count, seed=seed)
    if save:
        save_figures(model, figures, command_shape(model, data, photo_size, temperatures))


def command_shape(model: str, data: list[str], size: int | None, temperatures: str | None) -> str:
    """The command as anyone can give it: files by their names, not by where they lie here."""
    words = [
        "img2img evaluate",
        Path(model).stem,
        *(f"--data {Path(path).name}" for path in data),
        *([f"--size {size}"] if size else []),
    ]
    return " ".join(words + ([f"--temperatures {temperatures}"] if temperatures else []))
