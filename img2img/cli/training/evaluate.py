"""`img2img evaluate`: the figures on a model's card, printed again, and any folder compared with real pictures."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import typer

from img2img.cli.shared_options import AsJson, Redraw, choice_option, in_a_folder, seed_option

_Features = Literal["lite0", "inception"]


def _numbers(within: Callable[[float], bool], what: str) -> Callable[[str | None], str | None]:
    """A check that an option has numbers with commas between, each within bounds."""

    def check(text: str | None) -> str | None:
        try:
            good = text is None or all(within(float(part)) for part in text.split(","))
        except ValueError:
            good = False
        if not good:
            raise typer.BadParameter(f"{text}: give numbers {what}, with commas between")
        return text

    return check


def _split(text: str | None) -> tuple[float, ...]:
    return tuple(map(float, text.split(","))) if text else ()


def evaluate(
    model: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE|RUN", help="A colorizer, a translator or a sampler.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="What the model is measured on: a folder, a .tar or digits; repeatable."),
    ] = None,
    real: Annotated[
        list[str] | None,
        typer.Option(
            help="Real pictures: of the kind that a translator makes, the targets of one trained on pairs, or what "
            "--fake is compared with; repeatable."
        ),
    ] = None,
    fake: Annotated[
        list[str] | None, typer.Option(help="Pictures to compare with --real, without a model; repeatable.")
    ] = None,
    strangers: Annotated[
        list[str] | None,
        typer.Option(
            help="Photos that a translator was not made for: measures how well its score tells --data from"
            " them; repeatable."
        ),
    ] = None,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Use only the last N of --data by name, at most a tenth, as training holds them out; the row "
            "'real (floor)' uses the same part of --real.",
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Also measure how much a translator changes around this subject: animal, or a class of ImageNet.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=32,
            metavar="N",
            help="Resize photos to about N x N pixels [default: 256; for a translator its own size].",
        ),
    ] = None,
    temperatures: Annotated[
        str | None,
        typer.Option(
            metavar="T,T,...",
            callback=_numbers(lambda value: 0 < value <= 1, "above 0, at most 1"),
            help="Also measure a colorizer at these temperatures, in PyTorch (needs the .safetensors).",
        ),
    ] = None,
    saturations: Annotated[
        str | None,
        typer.Option(
            metavar="S,S,...",
            callback=_numbers(lambda value: 0 <= value < inf, "from 0 up"),
            help="Also at these saturations, each with every temperature.",
        ),
    ] = None,
    prior_corrections: Annotated[
        str | None,
        typer.Option(
            metavar="B,B,...",
            callback=_numbers(lambda value: -1 <= value <= 1, "from -1 to 1"),
            help="Also with this much of the training's rarity weights removed: 0 none, 1 all.",
        ),
    ] = None,
    features: Annotated[
        _Features | None,
        choice_option(
            _Features,
            help="The network whose features are used to compare sets of pictures [default: lite0].",
        ),
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="Torchvision's weights for Inception.")] = None,
    lpips_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Torchvision's AlexNet weights, for LPIPS.")
    ] = None,
    as_json: AsJson = False,
    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=in_a_folder(".png"), help="Draw the figures as bars."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=in_a_folder(".png", ".jpg", ".webp"),
            help="Draw photos, chosen by --seed: grey, coloured and true, or in, out and back, or in, out and target.",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Photos on the sheet.")] = 60,
    seed: Annotated[int, seed_option("Seed of the sheet's photos, the resampling, and a sampler's latents.")] = 0,
    save: Annotated[bool, typer.Option("--save", help="Write the figures on the model's card.")] = False,
    overwrite: Redraw = False,
) -> None:
    """Measure a model against real pictures, or compare any pictures with real ones.

    For a colorizer, on photos whose colours are known: PSNR, SSIM, LPIPS and the Frechet distance to the true photos,
    next to those of the grey photos, and colourfulness; for all --data and for each set. For a translator: KID and
    Frechet distance between its results and real pictures, next to those of the untouched pictures and of real ones,
    all with 95% bootstrap intervals; with --subject also the mean change in grey levels outside and inside of that
    subject, found by a classifier, whose masks lack much of a subject that fills the picture; or, with --strangers, how
    well its score tells --data from them, as AUC. For a translator trained on pairs: PSNR, SSIM, LPIPS and the Frechet
    distance to the targets, next to those of the untouched inputs. For a sampler: how varied its pictures are, and how
    many of those drawn for a class are of that class.

    \b
    Examples:
      img2img evaluate colorizer --data photos --data people --temperatures 0.2,0.4 --saturations 1,1.2
      img2img evaluate horse2zebra --data horses --real zebras --sheet sheet.jpg
      img2img evaluate horse2zebra --data horses --real zebras --subject animal
      img2img evaluate horse2zebra --data horses --strangers photos --held-out 100
      img2img evaluate mine.onnx --data edges --real photos --lpips-weights alexnet.pth
      img2img evaluate --real zebras --fake made-elsewhere --chart chart.png
    """
    import json
    from dataclasses import replace

    from img2img.data.data_item import refuse_missing
    from img2img.evaluation.request import EvaluationRequest
    from img2img.inference.run_model import settled_model
    from img2img.photo.metadata.drawn_by import check_drawing

    request = EvaluationRequest(
        model=model,
        data=tuple(data or ()),
        real=tuple(real or ()),
        fake=tuple(fake or ()),
        strangers=tuple(strangers or ()),
        held_out=held_out,
        subject_class=subject,
        size=size,
        temperatures=_split(temperatures),
        saturations=_split(saturations),
        prior_corrections=_split(prior_corrections),
        features=features,
        weights=weights,
        lpips_weights=lpips_weights,
        seed=seed,
    )
    wanted = {"--chart": chart, "--sheet": sheet, "--save": save}
    request.subject(also_given=[name for name, value in wanted.items() if value])
    for picture in filter(None, (chart, sheet)):
        check_drawing(picture, "evaluate", overwrite=overwrite)
    refuse_missing((*request.data, *request.real, *request.fake, *request.strangers))
    model = settled_model(model) if model else None
    request = replace(request, model=model)

    from img2img.cli.training.drawn import named_when_drawn
    from img2img.progress_bar import counted_progress

    with counted_progress("measuring photos", note="measuring") as advance:  # pulses while PyTorch is imported
        from img2img.evaluation.measure import measure, save_figures, table

        figures = measure(request, advance)
    print(json.dumps(figures, indent=2, allow_nan=False) if as_json else table(figures))
    if chart:
        from img2img.evaluation.chart import draw_chart

        with named_when_drawn(chart):
            draw_chart(figures, chart, model=model)
    if sheet:
        from img2img.evaluation.contact_sheet import draw_sheet

        with named_when_drawn(sheet):
            draw_sheet(request, sheet, count=count)
    if save and model:
        save_figures(model, figures, request.command())
