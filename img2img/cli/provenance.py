"""`img2img provenance`: what pictures and films say of how they were made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from img2img.cli.shared_options import AsJson

if TYPE_CHECKING:
    from img2img.photo.metadata.provenance import Provenance

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False, help="Pictures or films.")]

# IPTC's digital source types, https://cv.iptc.org/newscodes/digitalsourcetype/, in our words.
_KINDS = {
    "compositeWithTrainedAlgorithmicMedia": "a picture with parts that a trained model made",
    "trainedAlgorithmicMedia": "made by a trained model",
    "algorithmicallyEnhanced": "changed by an algorithm",
    "algorithmicMedia": "made by an algorithm",
    "digitalCapture": "taken by a digital camera",
    "computationalCapture": "taken by a digital camera, of several pictures",
    "negativeFilm": "scanned from a negative",
    "positiveFilm": "scanned from a slide",
    "print": "scanned from a print",
    "humanEdits": "edited by a person",
    "digitalCreation": "made by a person with a program",
    "dataDrivenMedia": "drawn from data",
    "screenCapture": "taken from a screen",
    "virtualRecording": "taken in a virtual world",
    "composite": "put together of several pictures",
    "compositeCapture": "put together of several pictures that cameras took",
    "compositeSynthetic": "put together of several pictures, not all of them taken by cameras",
}


def provenance(files: Files, as_json: AsJson = False) -> None:
    """Print what pictures and films say about how they were made: the kind, the model, its checksum, the options.

    This is read from their XMP, whichever program wrote it. It is not verified, and a picture that says nothing may
    have been made in any way.

    \b
    Examples:
      img2img provenance photo.colorized.jpg
      img2img provenance coloured/*.jpg film.colorized.mp4 --json

    \b
    Exit codes: 0 all could be read, even if they say nothing, 1 at least one could not.
    """
    from img2img.errors import FilmError, PhotoError

    records, failed = list[dict[str, Any]](), False
    for file in files:
        try:
            said = _said_by(file)
        except (FilmError, PhotoError) as error:
            failed = True
            records.append({"file": str(file), "error": str(error)})
            print(_line(f"Error: {error}"), file=sys.stderr)
        else:
            records.append({"file": str(file), **_record(said)})
            if not as_json:
                print("\n".join(map(_line, _lines(file, said))))
    if as_json:
        print(json.dumps(records, indent=2))
    if failed:
        raise typer.Exit(1)


def _said_by(file: Path) -> Provenance | None:
    from img2img.conversion.earlier_result import provenance_of
    from img2img.errors import UnreadablePhoto

    try:
        return provenance_of(file)
    except ValueError as error:
        raise UnreadablePhoto(f"{file}: {error}, so nobody can tell what it says of how it was made") from error


def _lines(file: Path, said: Provenance | None) -> list[str]:
    if said is None:
        return [f"{file}: says nothing of how it was made"]
    rows = {"model": said.model, "sha256": said.sha256}
    rows["options"] = ", ".join(f"{name} {value}" for name, value in said.options.items())
    rows["made with"] = f"img2img {said.version}" if said.model else " ".join(filter(None, (said.system, said.version)))
    whose = "" if said.model else ", in another program's words"
    return [f"{file}: {_kind(said)}{whose}", *(f"  {name:9}  {text}" for name, text in rows.items() if text)]


def _kind(said: Provenance) -> str:
    """In words, with IPTC's term, or what else stands there."""
    term = _term(said)
    if not said.source_type:
        return "says with what it was made, not what kind of picture it is"
    return f"{_KINDS[term]} (IPTC: {term})" if term in _KINDS else f"its digital source type is {said.source_type}"


def _term(said: Provenance) -> str:
    from img2img.photo.metadata.provenance import SOURCE_TYPES

    is_iptc = said.source_type.replace("https://", "http://").startswith(SOURCE_TYPES)
    return said.source_type.rpartition("/")[2] if is_iptc else ""


def _record(said: Provenance | None) -> dict[str, Any]:
    """For JSON: null where a picture does not say."""
    if said is None:
        return dict.fromkeys(("digital_source_type", "model", "sha256", "options", "version", "system"))
    told = {"digital_source_type": said.source_type, "model": said.model, "sha256": said.sha256}
    told |= {"version": said.version, "system": said.system}
    return {name: text or None for name, text in told.items()} | {"options": dict(said.options) or None}


def _line(text: str) -> str:
    from img2img.cli.closing import one_line

    return one_line(text)
