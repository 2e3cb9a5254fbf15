"""`img2img runs`: the trainings at hand, and how one of them went."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from img2img.cli.amounts import duration
from img2img.cli.shared_options import AsJson, in_a_folder

if TYPE_CHECKING:
    from img2img.runs.run_records import RunRecords

app = typer.Typer(invoke_without_command=True, help="Training runs, and how they went.")

Folder = Annotated[Path, typer.Option(metavar="DIR", help="Where the runs' folders lie.")]


@app.callback()
def runs(context: typer.Context, folder: Folder = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs: recipe, steps, last losses, health; `runs show RUN` draws one's curves."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    from img2img.errors import RunError
    from img2img.runs.run_records import find_runs

    summaries, refusals = [], []
    for run in find_runs(folder):
        try:
            summaries.append(summary(run))
        except RunError as error:
            refusals.append(str(error))
    if as_json:
        print(as_strict_json(summaries))
    elif not summaries and not refusals:
        print(f"No runs in {folder}: start one with `img2img train`.")
    else:
        table = Table("run", "recipe", "step", "took", "last", "health")
        for each in summaries:
            table.add_row(*row(each))
        Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False).print(table)
    for refusal in refusals:
        print(f"Error: {refusal}", file=sys.stderr)
    if refusals:
        raise typer.Exit(1)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.png",
            callback=in_a_folder(".png"),
            help="The chart [default: RUN/chart.png].",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; draws only with -o.")] = False,
) -> None:
    """Draw a run's losses and health to a PNG, and say how it stands."""
    from img2img.runs.run_chart import draw_run
    from img2img.runs.run_records import RunRecords

    records = RunRecords(run)
    told = summary(records)
    chart = output or (None if as_json else run / "chart.png")
    if chart:
        draw_run(records, chart)
    if as_json:
        print(as_strict_json(told))
        return
    print(f"{run}: {told['recipe']}, step {told['step']:,} of {told['steps']:,}, {duration(told['seconds'])}")
    print(scalars(told["last"]))
    for line in quality_lines(told["quality"]):
        print(line)
    for finding in told["findings"]:
        print(f"{steps_of(finding)}: {finding['name']}: {finding['sentence']}")
    print(f"drawn: {chart}")


def summary(run: RunRecords) -> dict[str, Any]:
    """How a run stands; a finding has "name", "sentence" and its "first" and "last" step."""
    from dataclasses import asdict

    return {
        "run": str(run.path),
        **run.info,
        "step": run.step,
        "seconds": run.seconds,
        "last": run.last_scalars,
        "quality": quality(run),
        "findings": [asdict(each) for each in run.findings],
    }


def quality(run: RunRecords) -> dict[str, Any] | None:
    """What was measured "last" and at the "best" step, and as "reference" what it lies between; None if nothing was."""
    from img2img.runs.run_records import figures

    if not run.best:
        return None
    last, best = ({"step": record["step"], **figures(record)} for record in (run.quality[-1], run.best))
    return {"last": last, "best": best, "reference": run.reference}


def quality_lines(told: dict[str, Any] | None) -> list[str]:
    from img2img.runs.run_records import quality_words

    return [
        f"quality, {name} (step {told[name]['step']:,}): {quality_words(told[name], told['reference'])}"
        for name in ("last", "best")
        if told
    ]


def as_strict_json(told: object) -> str:
    """JSON as other programs read it: a loss that is not finite any more becomes null."""
    return json.dumps(json.loads(json.dumps(told), parse_constant=lambda name: None), indent=2)


def row(told: dict[str, Any]) -> tuple[str, ...]:
    last = {name: value for name, value in told["last"].items() if name != "images_per_second"}
    step = f"{told['step']:,} of {told['steps']:,}"
    health = "\n".join(f"{each['name']} ({steps_of(each)})" for each in told["findings"])
    return Path(told["run"]).name, told["recipe"], step, duration(told["seconds"]), scalars(last), health


def scalars(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items()) or "no records yet"


def steps_of(finding: dict[str, Any]) -> str:
    first, last = finding["first"], finding["last"]
    return f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
