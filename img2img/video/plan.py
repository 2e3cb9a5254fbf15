"""What becomes what: the films that a command names, and where their results go."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from img2img.atomic_file import is_file, is_folder
from img2img.batch.own_result import is_named_as_result
from img2img.batch.sources.listing import is_glob
from img2img.errors import UsageError
from img2img.photo.formats import OUTPUT_SUFFIXES
from img2img.video.kinds import ANIMATION_SUFFIXES, FilmKind, Numbered, kind_of

WRITTEN_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
OTHER_SUFFIX = ".mkv"  # for a film in a container of another kind: it takes every kind of sound and subtitles
# What can become what, beside its own kind.
_ALSO: dict[FilmKind, FilmKind] = {"film": "sequence", "sequence": "film"}


@dataclass(frozen=True)
class FilmJob:
    """A film, animation or pattern of numbered pictures, and what becomes of it.

    `beside`: nobody said where the result goes, so its name tells its source. `is_result`: by its name it is a result
    of an earlier run, to be left out.
    """

    source: Path
    kind: FilmKind
    target: Path
    makes: FilmKind
    beside: bool = False
    is_result: bool = False


def plan_films(inputs: list[str], output: str | None, *, word: str) -> list[FilmJob]:
    """Each input with its target; `word` names a result beside its source. Raises UsageError.

    Of several, those that are named as results are left out.
    """
    _refuse(inputs, output)
    several = len(inputs) > 1
    jobs = [_job(name, output, word, several=several) for name in inputs]
    jobs = [replace(job, is_result=several and is_named_as_result(job.source, word)) for job in jobs]
    _check([job for job in jobs if not job.is_result])
    return jobs


def _refuse(inputs: list[str], output: str | None) -> None:
    if output == "-":
        raise UsageError("a film cannot go to standard output: give -o a file or a folder")
    if output == "":
        raise UsageError("-o is empty: name a file or a folder (. for this one)")
    for each in (*inputs, output or ""):
        if "://" in each:
            raise UsageError(f"{each}: films are read and written on this machine's own disks: copy it here first")
    for name in filter(is_glob, inputs):
        raise UsageError(f"{name}: patterns are for photos: name the films, or leave the quotes out")
    if output is not None and len(inputs) > 1 and (is_file(Path(output)) or _names_a_film(output)):
        raise UsageError(f"-o {output} names one film, the inputs are more: name a folder, or end it with /")


def _names_a_film(output: str) -> bool:
    path = Path(output)
    return not output.endswith(("/", os.sep)) and not is_folder(path) and path.suffix.lower() in WRITTEN_SUFFIXES


def _job(name: str, output: str | None, word: str, *, several: bool) -> FilmJob:
    source, kind = Path(name), kind_of(name)
    assert kind is not None
    if output is None:
        result = source.with_name(f"{source.stem}.{word}{_suffix(source, kind)}")
        if kind == "sequence":
            raise UsageError(f"{name}: where shall its pictures go? Add -o, such as -o {result.name}")
        return FilmJob(source, kind, result, kind, beside=True)
    if several or output.endswith(("/", os.sep)) or is_folder(Path(output)):
        return FilmJob(source, kind, Path(output, source.stem + _suffix(source, kind)), kind)
    return FilmJob(source, kind, Path(output), _made(kind, output))


def _suffix(source: Path, kind: FilmKind) -> str:
    return source.suffix if kind != "film" or source.suffix.lower() in WRITTEN_SUFFIXES else OTHER_SUFFIX


def _made(kind: FilmKind, output: str) -> FilmKind:
    """What the output is, by its name."""
    suffix = Path(output).suffix.lower()
    made: FilmKind | None = None
    if suffix in OUTPUT_SUFFIXES and Numbered.named(output):
        made = "sequence"
    elif suffix in WRITTEN_SUFFIXES:
        made = "film"
    elif suffix in ANIMATION_SUFFIXES:
        made = "animation"
    if made is None or made not in (kind, _ALSO.get(kind)):
        raise UsageError(f"-o {output}: {_CHOICES[kind]}")
    return made


_CHOICES: dict[FilmKind, str] = {
    "film": f"a film becomes {', '.join(WRITTEN_SUFFIXES)}, or numbered pictures such as frame_%05d.png",
    "animation": "an animation becomes .gif, .webp or .png",
    "sequence": "numbered pictures become numbered pictures, such as out_%05d.png, or a film, such as out.mp4",
}


def _check(jobs: list[FilmJob]) -> None:
    sources: dict[str, FilmJob] = {}
    for job in jobs:
        real = os.path.realpath(job.target).casefold()
        if other := sources.get(real):
            raise UsageError(f"{other.source} and {job.source} would both become {job.target}: give each its own -o")
        sources[real] = job
    for job in jobs:
        if (taken := sources.get(os.path.realpath(job.source).casefold())) is not None:
            raise UsageError(f"the result of {taken.source} would overwrite the input {job.source}: name another -o")
