"""What the commands that convert photos have in common: the way from their options to an exit code."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from img2img.errors import UsageError
from img2img.machine import collector_at_rest

if TYPE_CHECKING:
    from img2img.conversion.options import ConversionOptions


def run_conversion(
    inputs: Sequence[str],
    output: str | None,
    options: "ConversionOptions",
    *,
    verb: str,
    quiet: bool = False,
    show_scores: bool = False,
) -> None:
    """Convert all inputs; exit with 1 when one of them failed.

    `verb` is what the closing line says was done. `show_scores` prints a line for each photo.
    """
    with collector_at_rest():
        from img2img.cli.closing import Tally, closing
        from img2img.cli.progress import FilmBar, follow, follow_films
        from img2img.conversion.convert import open_conversion

    tally, bar = Tally(), FilmBar(shown=not quiet)
    with open_conversion(inputs, output, options, bar) as conversion:
        if conversion.to_stdout and sys.stdout.isatty():
            raise UsageError("a terminal cannot show a photo: add -o FILE, or > FILE")
        tally.skip(conversion.skipped)
        with closing(
            tally,
            conversion.records,
            conversion.passed_over,
            verb=verb,
            output=None if conversion.films else output,
            show_scores=show_scores,
            quiet=quiet,
            one_photo=conversion.one_photo,
            overwrite=options.overwrite,
            stop_on_error=options.on_error == "stop",
            stdout_is_data=conversion.to_stdout,
        ):
            if conversion.films:
                follow_films(conversion.outcomes, tally, bar, quiet=quiet)
            else:
                follow(
                    conversion.outcomes,
                    tally,
                    doing=verb.removesuffix("ed") + "ing",
                    total=conversion.total,
                    quiet=quiet,
                    each=options.watch,
                    note_colored=options.when_in_color(many=True) != "redo",  # else it was asked for
                )
    if tally.failed:
        raise typer.Exit(1)
