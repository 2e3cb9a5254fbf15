"""`img2img data`: look through training data, fetch public data sets."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from img2img.cli.shared_options import choice_option
from img2img.data.download.catalogue import FETCHABLE
from img2img.errors import UsageError
from img2img.progress_bar import counted_progress

if TYPE_CHECKING:
    from img2img.data.check.findings import DataReport

_Look = TypeVar("_Look")

app = typer.Typer(help="Check training data, and download public data sets.", no_args_is_help=True)

FindingKind = Literal[
    "unreadable",
    "grey",
    "tiny",
    "duplicates",
    "near-duplicates",
    "odd",
    "others",
    "alone",
    "misfits",
    "sizes",
    "shifted",
    "repeated",
]


@app.command(short_help="Find unreadable, grey, tiny and duplicate images.")
def check(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="DIR_OR_TAR...", help="Folders of images, or .tar shards, as training takes them."),
    ] = None,
    a: Annotated[
        list[str] | None,
        typer.Option("--a", metavar="DIR_OR_TAR", help="One side of pairs, as `train pix2pix` takes them; with --b."),
    ] = None,
    b: Annotated[list[str] | None, typer.Option("--b", metavar="DIR_OR_TAR", help="Their other side.")] = None,
    ab: Annotated[
        list[str] | None, typer.Option("--ab", metavar="DIR_OR_TAR", help="Pairs side by side in one picture.")
    ] = None,
    min_size: Annotated[
        int, typer.Option(min=1, help="Images whose shorter side has fewer pixels count as tiny.")
    ] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as JSON.")] = False,
    kind: Annotated[
        FindingKind | None,
        choice_option(FindingKind, "--list", help="Print only the paths of one kind of finding, one per line."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Images at a time. By default one per processor core.")
    ] = None,
) -> None:
    """Count the images, and find the unreadable, grey, tiny and duplicate ones.

    For pairs, also find those that lack a side, do not match, are shifted, or appear twice.

    \b
    Examples:
      img2img data check datasets/photos
      img2img data check --a edges --b photos
      img2img data check datasets/photos --list duplicates > twice.txt
      xargs -d '\\n' rm < twice.txt                  once you have looked through the list

    \b
    Exit codes: 0 the data can be trained on, 1 something would stop a training.
    """
    import json
    import os

    from img2img.data.check.findings_text import as_json as report_json
    from img2img.data.check.findings_text import as_text
    from img2img.machine import usable_cores

    report = _checked(sources, a, b, ab, min_size=min_size, jobs=jobs or usable_cores())
    if kind:  # as bytes: a file's name may be none of any encoding
        sys.stdout.buffer.write(b"".join(os.fsencode(finding.name) + b"\n" for finding in report.findings[kind]))
    elif as_json:
        print(json.dumps(report_json(report), indent=2))
    else:
        print(as_text(report))
    if not report.usable:
        raise typer.Exit(1)


def _checked(
    sources: list[str] | None,
    a: list[str] | None,
    b: list[str] | None,
    ab: list[str] | None,
    *,
    min_size: int,
    jobs: int,
) -> "DataReport":
    """On whichever of the three was given; raises UsageError for none or several."""
    if bool(sources) + bool(a or b) + bool(ab) != 1 or bool(a) != bool(b):
        raise UsageError("give folders or tar files of images; or pairs, as --a and --b, or as --ab")
    from img2img.data.data_item import data_paths, refuse_missing

    refuse_missing([*(sources or ()), *(a or ()), *(b or ()), *(ab or ())])
    if sources:
        from img2img.data.check.findings import summarise
        from img2img.data.check.look import look_at
        from img2img.data.listing import list_images

        images = list_images(data_paths(sources))
        looks = _followed(look_at(images.images, jobs), len(images.images), unit="images")
        return summarise(images, looks, min_size=min_size)
    from img2img.data.check.pair_findings import summarise_pairs
    from img2img.data.check.pair_listing import list_pairs, list_side_by_side
    from img2img.data.check.pair_look import look_at_pairs

    pairs = list_side_by_side(ab) if ab else list_pairs(a or (), b or ())
    return summarise_pairs(
        pairs, _followed(look_at_pairs(pairs.pairs, jobs), len(pairs.pairs), unit="pairs"), min_size=min_size
    )


def _followed(looks: Iterator[_Look], total: int, *, unit: str) -> Iterator[_Look]:
    """The same, and how far they are."""
    with counted_progress("checking", unit=unit, total=total) as advance:
        for done, look in enumerate(looks, 1):
            yield look
            advance(done, total)


@app.command(
    short_help="Download a public data set.",
    epilog="Sets: " + ", ".join(FETCHABLE) + "."
)  # fmt: skip
def download(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A set from the list below; with --url, the name for its folder.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to put the set's folder into.")] = Path("datasets"),
    url: Annotated[str | None, typer.Option(help="Download the zip at this address instead.")] = None,
    sha256: Annotated[str | None, typer.Option(metavar="HEX", help="The SHA-256 that the zip must have.")] = None,
) -> None:
    """Download a public data set. A broken download is resumed; the folder appears when all is there and checked.

    The folder's source.json records what was downloaded: address, size, SHA-256, date.
    """
    from img2img.data.download.fetched_set import download as fetch
    from img2img.data.download.fetched_set import part_file

    try:
        with counted_progress("downloading", unit="bytes") as progress:
            fetched = fetch(name, out, url=url, sha256=sha256, progress=progress)
    except KeyboardInterrupt:
        part = part_file(out, name)
        if part.exists():
            here = f"{part} keeps {part.stat().st_size / 1e6:,.1f} MB"
            print(f"stopped; {here}: the same command goes on from there", file=sys.stderr)
        raise
    source = fetched.source
    if fetched.was_there:
        print(f"{fetched.folder}: complete since {source.date[:10]}, {source.members:,} files from {source.url}")
    else:
        print(f"{fetched.folder}: {source.members:,} files from {source.url} ({source.size / 1e6:,.1f} MB)")
    print(f"next: img2img data check {fetched.folder}")
