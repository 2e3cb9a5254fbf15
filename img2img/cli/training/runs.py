"""`img2img runs`: the trainings at hand, and how one of them went."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from img2img.cli.amounts import duration
from img2img.cli.shared_options import AsJson, Redraw, in_a_folder

if TYPE_CHECKING:
    from img2img.runs.run_records import RunRecords

app = typer.Typer(invoke_without_command=True, help="List training runs, and show how they went.")

Folder = Annotated[Path, typer.Option(metavar="DIR", help="The folder that holds the runs.")]


@app.callback()
def runs(context: typer.Context, folder: Folder = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs: recipe, steps, last losses, health; `runs show RUN` draws one's curves."""
    if context.invoked_subcommand is not None:
        return
    from img2img.errors import RunError
    from img2img.runs.run_records import find_runs
    from img2img.text_table import text_table

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
        print(text_table(("run", "recipe", "state", "took", "last", "health"), [row(each) for each in summaries]))
    for refusal in refusals:
        print(f"Error: {refusal}", file=sys.stderr)
    if refusals:
        raise typer.Exit(1)


@app.command(short_help="Show the state of a run, and draw its curves.")
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
    overwrite: Redraw = False,
) -> None:
    """Draw a run's losses and health to a PNG, and print its state."""
    from img2img.photo.metadata.drawn_by import check_drawing
    from img2img.runs.run_chart import draw_run
    from img2img.runs.run_records import RunRecords
    from img2img.text_table import wrapped_line

    if output:
        check_drawing(output, "runs show", overwrite=overwrite)
    records = RunRecords(run)
    told = summary(records)
    chart = output or (None if as_json else run / "chart.png")
    if chart:
        draw_run(records, chart)
    if as_json:
        print(as_strict_json(told))
        return
    print(f"{run}: {told['recipe']}, {progress_words(told)}, {duration(told['seconds'])}")
    for line in (scalars(told["last"]), *quality_lines(told["quality"])):
        print(wrapped_line(line))
    for finding in told["findings"]:
        print(wrapped_line(f"{steps_of(finding)}: {finding['name']}: {finding['sentence']}"))
    if not told["findings"]:
        print(f"health: {health_words(told)}")
    print(f"drawn: {chart}")


def summary(run: RunRecords) -> dict[str, Any]:
    """How a run stands; a finding has "name", "sentence" and its "first" and "last" step.

    "state" is "done", "stopped", or "running" where something was written within two minutes; "health_checks" how
    many times its health was looked at.
    """
    from dataclasses import asdict

    return {
        "run": str(run.path),
        **run.info,
        "step": run.step,
        "state": run.state,
        "seconds": run.seconds,
        "last": run.last_scalars,
        "quality": quality(run),
        "health_checks": len(run.health),
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
    took = duration(told["seconds"])
    return Path(told["run"]).name, told["recipe"], progress_words(told), took, scalars(last), health_words(told)


def progress_words(told: dict[str, Any]) -> str:
    """ "stopped at 12 of 400", "running, 12 of 400", "done, 400 steps"."""
    step, steps, state = f"{told['step']:,}", f"{told['steps']:,}", told["state"]
    if state == "done":
        return f"done, {step} steps"
    return f"stopped at {step} of {steps}" if state == "stopped" else f"{state}, {step} of {steps}"


def health_words(told: dict[str, Any]) -> str:
    """What was found, or that nothing was, or that nobody has looked."""
    if told["findings"]:
        return "\n".join(f"{each['name']} ({steps_of(each)})" for each in told["findings"])
    return "nothing found" if told["health_checks"] else "not looked at yet"


def scalars(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items()) or "no records yet"


def steps_of(finding: dict[str, Any]) -> str:
    first, last = finding["first"], finding["last"]
    return f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
