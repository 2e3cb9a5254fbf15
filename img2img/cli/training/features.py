"""`img2img features RUN`: what a trained discriminator has learnt to see."""

from pathlib import Path
from typing import Annotated

import typer

from img2img.cli.shared_options import AsJson, Redraw, in_a_folder, seed_option


def features(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run whose discriminator judges single pictures.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Labelled pictures: digits, a folder of folders, .tar [default: digits].", metavar="DATA"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            callback=in_a_folder(".png", ".jpg", ".webp"),
            help="The picture of the first filters [default: RUN/filters.png].",
        ),
    ] = None,
    seed: Annotated[int, seed_option("Chooses the fifth of the pictures that is held out.")] = 0,
    as_json: AsJson = False,
    overwrite: Redraw = False,
) -> None:
    """Use a run's discriminator as a feature extractor: train a linear classifier on it, and draw its first filters."""
    import json
    from dataclasses import asdict

    from img2img.photo.metadata.drawn_by import check_drawing
    from img2img.progress_bar import status_line
    from img2img.saved_states import refuse_without_state

    if output:
        check_drawing(output, "features", overwrite=overwrite)
    refuse_without_state(run)
    picture = output or run / "filters.png"
    with status_line() as tell:
        tell(f"reading {run}")
        from img2img.data.open_source import open_source
        from img2img.evaluation.discriminator_features import draw_filters, load_judge, probe

        trained, untrained = load_judge(run)
        tell("fitting linear classifiers")
        found = probe(trained, untrained, open_source(data or ["digits"]), seed=seed)
        draw_filters(trained, picture)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
        return
    print(f"linear classifier, {found.train_images:,} pictures to learn from, {found.test_images:,} held out")
    for name, share in (("pixels", found.pixels), ("untrained", found.untrained), ("trained", found.trained)):
        print(f"  {name:9}  {share:6.1%}")
    print(f"{picture}: the first layer's filters")
