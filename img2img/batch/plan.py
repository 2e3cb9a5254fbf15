"""What becomes what: a command's inputs and output as jobs, or a refusal before anything is written.

Links to folders are not followed inside a folder, so that no loop and no photo is met twice.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from img2img.atomic_file import why_not
from img2img.batch.outcome import Outcome, failure
from img2img.errors import UsageError
from img2img.photo.formats import OUTPUT_SUFFIXES, PHOTO_SUFFIXES, format_of_suffix, output_suffix

STREAM = Path("-")
"""Standard input as a source, standard output as a target. Compared by identity: `./-` is a file."""

_LISTED_PAIRS = 5


@dataclass(frozen=True)
class Job:
    source: Path
    target: Path


@dataclass(frozen=True)
class Plan:
    """The photos to convert, and the inputs that cannot be: missing, unreadable, without photos."""

    jobs: tuple[Job, ...]
    failures: tuple[Outcome, ...] = ()


def plan_jobs(
    inputs: Sequence[str | Path],
    output: str | Path | None,
    *,
    word: str = "colorized",
    format: str = "same",
    recursive: bool = True,
) -> Plan:
    """Which file each input becomes; nothing is written.

    The string "-" is standard input or output; an `output` string that ends in a slash is a folder. A single
    file without output becomes `name.word.suffix` beside itself. Raises UsageError where two results would
    share a file, a result would overwrite an input, or the output folder lies inside an input folder.
    """
    _refuse_empty_words(inputs, output)
    if "-" in inputs or output == "-":
        return Plan((_stream_job(inputs, output, format),))
    sources, failures = _existing([Path(each) for each in inputs])
    if len(inputs) == 1 and not any(source.is_dir() for source in sources):
        jobs = [Job(source, _single_target(source, output, word, format)) for source in sources]
    else:
        folder = _output_folder(output)
        _refuse_nested_output(folder, [source for source in sources if source.is_dir()])
        jobs, unread = _jobs_into(folder, sources, format, recursive)
        failures += unread
    jobs = list(dict.fromkeys(jobs))
    _refuse_shared_targets(jobs)
    _refuse_overwritten_sources(jobs)
    return Plan(tuple(jobs), tuple(failures))


def _existing(sources: Iterable[Path]) -> tuple[list[Path], list[Outcome]]:
    existing, failures = [], []
    for source in sources:
        try:
            source.stat()
            existing.append(source)
        except OSError as error:
            failures.append(failure(source, f"{source}: {why_not(error, 'read')}"))
    return existing, failures


def _jobs_into(folder: Path, sources: Iterable[Path], format: str, recursive: bool) -> tuple[list[Job], list[Outcome]]:
    """Jobs that write into `folder`: a file under its own name, an input folder's photos in their tree."""
    jobs, failures = [], []
    for source in sources:
        photos, unread = _photos_in(source, recursive) if source.is_dir() else ([source], [])
        above = source if source.is_dir() else source.parent
        jobs += [Job(photo, folder / _renamed(photo, format).relative_to(above)) for photo in photos]
        failures += unread
    return jobs, failures


def _photos_in(folder: Path, recursive: bool) -> tuple[list[Path], list[Outcome]]:
    """The photos below a folder by suffix, sorted, none hidden; and the folders that cannot be read."""
    photos: list[Path] = []
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        photos += [Path(parent, name) for name in sorted(names) if _is_photo(name)]
    failures = [_unreadable_folder(error) for error in errors]
    if not photos and not failures:
        failures = [failure(folder, f"{folder}: no photos in this folder; it needs {_listed(PHOTO_SUFFIXES)}")]
    return photos, failures


def _is_photo(name: str) -> bool:
    return not name.startswith(".") and PurePath(name).suffix.lower() in PHOTO_SUFFIXES


def _unreadable_folder(error: OSError) -> Outcome:
    folder = Path(error.filename)
    return failure(folder, f"{folder}: the folder cannot be read: {why_not(error, 'read')}")


def _single_target(source: Path, output: str | Path | None, word: str, format: str) -> Path:
    if output is None:
        return source.with_name(f"{source.stem}.{word}{output_suffix(source, format)}")
    if _is_folder(output):
        return Path(output) / _renamed(source, format).name
    return _named_file(output, format)


def _renamed(source: Path, format: str) -> Path:
    return source.with_name(source.stem + output_suffix(source, format))


def _is_folder(output: str | Path) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return str(output).endswith(separators) or Path(output).is_dir()


def _named_file(output: str | Path, format: str) -> Path:
    """The output as one photo's file; its suffix must be one that is written, and agree with the format."""
    target = Path(output)
    if target.suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(f"-o {output}: end it with {_listed(OUTPUT_SUFFIXES)}, or with / for a folder")
    if format_of_suffix(output_suffix(target, format)) != format_of_suffix(target.suffix):
        raise UsageError(f"-o {output} and --format {format} contradict each other: leave one out")
    return target


def _output_folder(output: str | Path | None) -> Path:
    if output is None:
        raise UsageError("a folder, or more than one photo, needs -o FOLDER for the results")
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"-o {output} is a file: a folder, or more than one photo, needs a folder")
    if not _is_folder(output) and folder.suffix.lower() in OUTPUT_SUFFIXES:
        raise UsageError(f"-o {output} names one photo, the inputs are more: name a folder, or end it with /")
    return folder


def _stream_job(inputs: Sequence[str | Path], output: str | Path | None, format: str) -> Job:
    if len(inputs) > 1:
        raise UsageError("- stands for one photo on standard input or output: give one INPUT")
    source = STREAM if inputs[0] == "-" else Path(inputs[0])
    if output is None or output == "-":
        if source is not STREAM and source.is_dir():
            raise UsageError(f"{source} is a folder: -o - takes one photo")
        return Job(source, STREAM)
    if _is_folder(output):
        raise UsageError(f"-o {output} is a folder, and a photo on standard input has no name: name the file")
    return Job(source, _named_file(output, format))


def _refuse_empty_words(inputs: Sequence[str | Path], output: str | Path | None) -> None:
    """As paths they would be the current folder, and are what a shell makes of a variable that is not set."""
    if output == "":
        raise UsageError("-o is empty: name a file or a folder (. for this one)")
    if "" in inputs:
        raise UsageError("an INPUT is empty: name a photo or a folder (. for this one)")


def _refuse_nested_output(output: Path, folders: Iterable[Path]) -> None:
    for folder in folders:
        if _folded(output).is_relative_to(_folded(folder)):
            raise UsageError(
                f"the output folder {output} lies inside the input folder {folder}: "
                "its results would be inputs the next time; name an -o outside of it"
            )


def _refuse_shared_targets(jobs: Iterable[Job]) -> None:
    first: dict[PurePath, Job] = {}
    pairs = []
    for job in jobs:
        other = first.setdefault(_folded(job.target), job)
        if other is not job:
            pairs.append(f"{other.source} and {job.source} would both become {job.target}")
    if len(pairs) > _LISTED_PAIRS:
        pairs[_LISTED_PAIRS:] = [f"and {len(pairs) - _LISTED_PAIRS} more"]
    if pairs:
        raise UsageError("\n".join([*pairs, "Rename one of each, or convert them into different folders."]))


def _refuse_overwritten_sources(jobs: Sequence[Job]) -> None:
    sources = {_folded(job.source): job.source for job in jobs}
    for job in jobs:
        if hit := sources.get(_folded(job.target)):
            raise UsageError(
                f"the result of {job.source}, {job.target}, would overwrite the input {hit}: name another -o"
            )


def _folded(path: Path) -> PurePath:
    """One spelling for all names that some file system takes for one file: case, accents and links."""
    composed = unicodedata.normalize("NFC", os.path.realpath(path))
    return PurePath(unicodedata.normalize("NFC", composed.casefold()))


def _listed(suffixes: Iterable[str]) -> str:
    return ", ".join(sorted(suffixes))
