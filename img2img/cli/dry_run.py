"""`--dry-run`: what colorize and translate would do, in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from img2img.conversion.dry_run import Estimate, Forecast
    from img2img.conversion.options import ConversionOptions

_LISTED = 20  # files, before the rest is counted


def tell_what_would_be_done(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, *, quiet: bool = False
) -> None:
    """Prints it, or with `quiet` what cannot be read alone; exits with 1 where something cannot."""
    from img2img.cli.closing import one_line, tell
    from img2img.conversion.convert import keeps_a_journal, refuse_what_is_for_many
    from img2img.conversion.inputs import absent_inputs, check_inputs, named_photo

    films = check_inputs(inputs, options)
    absent = absent_inputs(inputs, output, options, films=films)
    options = options if absent else options.settled()
    lines: list[str]
    if absent:
        lines, failures = [], [str(each.error) for each in absent]
    elif films:
        from img2img.conversion.dry_run import films_in_words

        lines, failures = films_in_words(inputs, output, options)
    elif (single := named_photo(inputs, output, options)) and not keeps_a_journal(output, options):
        from img2img.conversion.dry_run import photo_in_words

        refuse_what_is_for_many(options)
        lines, failures = photo_in_words(single, options)
    else:
        from img2img.conversion.dry_run import forecast_batch

        found = forecast_batch(inputs, output, options, many=single is None)
        lines, failures = list(_batch_lines(found)), [str(each.error) for each in found.failures]
    for line in failures:
        tell(one_line(line), sys.stderr)
    for line in () if quiet else lines:
        tell(one_line(line), sys.stdout)
    if failures:
        raise typer.Exit(1)


def _batch_lines(found: Forecast) -> Iterator[str]:
    from img2img.cli.closing import Tally

    tally = Tally()
    tally.skip(found.skipped)
    beside = f"; {found.passed_over}" if found.passed_over else ""
    yield f"{found.due:,} to convert, {len(found.failures):,} would fail, {tally.skipped_words()}{beside}"
    if found.replaced:
        yield f"{len(found.replaced):,} files would be replaced that are not as img2img made them:"
        yield from (f"  {path}: {why}" for path, why in found.replaced[:_LISTED])
        if len(found.replaced) > _LISTED:
            yield f"  and {len(found.replaced) - _LISTED:,} more"
    if found.estimate:
        yield from _estimate_lines(found.estimate)
    yield "nothing was written"


def _estimate_lines(estimate: Estimate) -> Iterator[str]:
    from img2img.cli.amounts import byte_size, duration

    free = "" if estimate.free is None else f" of the {byte_size(estimate.free)} free"
    space = f"about {byte_size(estimate.bytes)}{free}"
    short = "; too little" if estimate.free is not None and estimate.bytes > estimate.free else ""
    yield f"about {duration(estimate.seconds)}, {space}{short}, estimated from {estimate.photos} of them"
    if estimate.left_out:
        yield f"{estimate.left_out} of these {estimate.photos} would be left out (in colour, or made before) or fail"
