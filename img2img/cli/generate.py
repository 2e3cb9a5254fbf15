"""`img2img generate`: draw pictures from noise."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from img2img.cli.directions import DirectionsFile
from img2img.cli.shared_options import Device, Overwrite, seed_option

if TYPE_CHECKING:
    from img2img.generation.request import Sweep

Model = Annotated[
    str, typer.Option(metavar="RUN|FILE", help="A training run's folder, an .onnx file, or a model's name.")
]


def _seeds(text: str | None) -> str | None:
    if text is not None and [part.strip().isdecimal() for part in text.split(",")] != [True, True]:
        raise typer.BadParameter(f"{text}: give two seeds, 0 or more, with a comma between: 3,9")
    return text


def _move(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        if name and abs(float(amount)) < float("inf"):
            return name, float(amount)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text}: give a direction and how far: slant=1.5")


def _moves(texts: list[str] | None) -> list[str] | None:
    names = [_move(text)[0] for text in texts or []]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"{name}: given twice; give each direction once, with the whole amount")
    return texts


def _ends(text: str) -> tuple[str, float, float]:
    name, _, amounts = text.partition("=")
    first, _, last = amounts.partition(":") if amounts else ("-2", ":", "2")
    return name, _move(f"{name}={first}")[1], _move(f"{name}={last}")[1]


def _sweep(text: str | None) -> str | None:
    try:
        if text is not None:
            _ends(text)
    except typer.BadParameter:
        raise typer.BadParameter(f"{text}: give a direction, or one and its ends: slant=-2:2") from None
    return text


def generate(
    model: Model,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A .png or .webp; .gif or .webp for an animation; a folder for --per-class. By default "
            "samples.png, or samples.gif for an animation.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", metavar="N", min=1, help="How many pictures. By default as many as suit the model."
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Draw only this class, given by its name or number.")
    ] = None,
    seed: Annotated[
        int | None,
        seed_option("Seed of the latents; -n 64 begins with the pictures of -n 8. By default 0."),
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            min=0.01,
            help="Redraw latent values beyond this; 2 is mild; below 1 many models draw faint pictures, "
            "since they were never trained there.",
        ),
    ] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="PHOTO", help="The photo to imitate, for a model that takes one.")
    ] = None,
    interpolate: Annotated[
        str | None, typer.Option(metavar="FROM,TO", callback=_seeds, help="Walk from one seed's pictures to another's.")
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[=A:B]", callback=_sweep, help="Move each picture along a direction, from -2 to 2 or A to B."
        ),
    ] = None,
    frames: Annotated[int | None, typer.Option(metavar="N", min=2, help="Steps of a walk or sweep.")] = None,
    per_class: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Write N pictures of each class into OUT/CLASS/, to train on."),
    ] = None,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=AMOUNT",
            callback=_moves,
            help="Move all pictures along a direction, in standard deviations; repeatable. See `img2img directions`.",
        ),
    ] = None,
    directions: DirectionsFile = None,
    columns: Annotated[int | None, typer.Option(metavar="N", min=1, help="Columns of the grid.")] = None,
    scale: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Draw each pixel as N x N.")] = 1,
    provenance: Annotated[
        bool,
        typer.Option("--provenance/--no-provenance", help="Record in the pictures' XMP how they were made."),
    ] = True,
    overwrite: Overwrite = False,
    device: Device = "auto",
) -> None:
    """Draw pictures, or videos, from noise with a model that `img2img train` made, such as dcgan or tgan.

    A model with classes draws each in turn, one per column. A model file needs no PyTorch; a run's folder is exported
    first, once for each saved state.

    \b
    Examples:
      img2img generate --model runs/dcgan                          64 pictures as samples.png
      img2img generate --model digits.onnx --label 7 -n 8 -o 7.png
      img2img generate --model digits.onnx --interpolate 1,2 -o walk.gif
      img2img generate --model digits.onnx --per-class 500 -o more/
      img2img generate --model digits.onnx --direction slant=1.5 --scale 2
      img2img generate --model digits.onnx --sweep thickness -o thickness.png

    \b
    Exit codes: 0 all is well, 1 the model cannot be used or OUT exists,
    2 wrong usage, 130 stopped with Ctrl-C.
    """
    from img2img.generation.generate import generate as draw
    from img2img.generation.request import DrawingRequest

    request = DrawingRequest(
        model=model,
        target=output,
        count=count,
        label=label,
        seed=seed,
        truncation=truncation,
        like=like,
        interpolate=_two(interpolate),
        sweep=_as_sweep(sweep),
        frames=frames,
        per_class=per_class,
        moves=dict(map(_move, direction or [])),
        directions=directions,
        columns=columns,
        scale=scale,
        overwrite=overwrite,
        device=device,
        provenance=provenance,
    )
    print(draw(request))


def _two(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, last = text.split(",")
    return int(first), int(last)


def _as_sweep(text: str | None) -> "Sweep | None":
    from img2img.generation.request import Sweep

    return None if text is None else Sweep(*_ends(text))
