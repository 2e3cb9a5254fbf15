"""`img2img directions`: find the directions in a sampler's latents that move brightness, thickness, slant, hue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from img2img.cli.shared_options import Device, Redraw, seed_option

if TYPE_CHECKING:
    from img2img.generation.fit import Recognise
    from img2img.generation.properties import Property
    from img2img.inference.sampler import Sampler

DirectionsFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The file of directions, if it is not beside the model.")
]

app = typer.Typer(
    help="Directions that steer what a model draws: find them, and see what else they move.", no_args_is_help=True
)


@app.command(short_help="Find directions: draw pictures, measure them, and fit.")
def fit(
    model: Annotated[str, typer.Option(metavar="RUN|FILE", help="A run's folder, or an .onnx file that draws.")],
    count: Annotated[int, typer.Option("-n", "--count", metavar="N", min=2, help="Pictures to learn from.")] = 2000,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="digits|DIR",
            help="Labelled pictures: adds a direction for each class, as a classifier trained on them sees it; "
            "repeatable. Needs the train extra.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="By default MODEL.directions.json, or RUN/directions.json."
        ),
    ] = None,
    seed: Annotated[int, seed_option("Seed of the pictures.")] = 0,
    device: Device = "auto",
    overwrite: Redraw = False,
) -> None:
    """Draw pictures, measure them, and fit, for each property, the direction in z that changes it.

    The table shows how entangled they are: by how many standard deviations one step along a direction (a row) moved
    each property (a column). On the diagonal this is the mean change, elsewhere the mean of |change|, up or down. R2 is
    the share of a property that a straight line in z explains; below 0.1 no direction is stored.

    \b
    Examples:
      img2img directions fit --model runs/dcgan --data digits
      img2img generate --model runs/dcgan --direction slant=1.5
    """
    from img2img.generation.fit import fit_model

    if data:
        from img2img.data.data_item import refuse_missing

        refuse_missing(data)
    directions, path = fit_model(
        model,
        n=count,
        seed=seed,
        overwrite=overwrite,
        target=output,
        device=device,
        recognise=_classes_of(data) if data else None,
    )
    print(directions.table())
    print(f"{path}: {len(directions.fit.directions)} directions of {directions.model}")


def _classes_of(data: list[str]) -> "Recognise":
    def recognise(sampler: "Sampler") -> "tuple[list[Property], str]":
        from img2img.evaluation.class_properties import class_properties  # which brings the training half

        return class_properties(data, sampler)

    return recognise


@app.command(short_help="Show the table of a model's directions again.")
def show(
    model: Annotated[str, typer.Argument(metavar="RUN|FILE", help="A run's folder, or an .onnx file.")],
    directions: DirectionsFile = None,
) -> None:
    """Print the table of a model's directions again."""
    from img2img.generation.directions_file import stored_directions
    from img2img.inference.run_model import settled_model
    from img2img.model_file import find_model, read_card

    card = read_card(find_model(settled_model(model, "generate")))
    print(stored_directions(model, directions, card).table())
