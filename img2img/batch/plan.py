"""What becomes what: a command's words as one job, or as a folder of results; refusals before anything is written."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath

from img2img.atomic_file import exists, is_folder, reason_for
from img2img.batch.addresses import fold, in_unicode, is_stored, place
from img2img.batch.job import STREAM, Found, Job
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.archives import is_archive
from img2img.batch.sources.listing import is_glob
from img2img.batch.sources.pattern import Pattern, split_pattern
from img2img.errors import UsageError
from img2img.photo.formats import OUTPUT_SUFFIXES, PHOTO_SUFFIXES, format_of_suffix, output_suffix


def plan_single(
    inputs: Sequence[str], output: str | None, *, word: str = "colorized", format: str = "same"
) -> Job | Outcome | None:
    """The job where the inputs are one photo, its failure where that is not there; None where they may be more.

    The string "-" is standard input or output; an `output` that ends in a slash is a folder. Without output the photo
    becomes `name.word.suffix` beside itself. Raises UsageError where it would overwrite its source.
    """
    _refuse_empty_words(inputs, output)
    if "-" in inputs or output == "-":
        return _stream_job(inputs, output, format)
    if len(inputs) != 1 or _may_be_more(inputs[0]) or is_zip(output):
        return None
    source = place(inputs[0])
    if missing := absent(source):
        return missing
    target = _single_target(source, output, word, format)
    if _real(target) == _real(source):
        raise UsageError(f"the result of {source}, {target}, would overwrite the input {source}: name another -o")
    return Job(source, target, beside=output is None and not is_stored(source))


def absent(source: Path) -> Outcome | None:
    """The failure of a file or folder that is not there; of what is stored elsewhere the reading says what is wrong."""
    try:
        if not is_stored(source):
            source.stat()
    except (OSError, ValueError) as error:
        return failure(source, f"{source}: {reason_for(error, 'read')}")
    return None


def plan_folder(inputs: Sequence[str], output: str | None) -> Path:
    """The folder for the results of many photos, or the .zip. UsageError where it lies inside an input folder."""
    _refuse_empty_words(inputs, output)
    if output is None:
        raise UsageError("a folder, or more than one photo, needs -o FOLDER for the results")
    if output == "-":
        raise UsageError("-o - is standard output, which takes one photo: name a folder (./- for one of that name)")
    folder = place(output)
    if is_zip(output):
        if _real(folder) in {_real(place(each)) for each in inputs}:
            raise UsageError(f"-o {output} is an input, too: name another .zip")
        return folder
    if is_archive(folder) and not _is_folder(output):
        raise UsageError(f"-o {output}: results can be packed as .zip; name one, or a folder, with / at its end")
    if not is_stored(folder) and exists(folder) and not is_folder(folder):
        raise UsageError(f"-o {output} is a file: a folder, or more than one photo, needs a folder")
    if not _is_folder(output) and folder.suffix.lower() in OUTPUT_SUFFIXES:
        raise UsageError(f"-o {output} names one photo, the inputs are more: name a folder, or end it with /")
    _refuse_nested_output(folder, (place(each) for each in inputs))
    return folder


def target_in(folder: Path, format: str) -> Callable[[Found], Path]:
    """Where a photo that was found goes: its tree is kept, its suffix the format's."""

    def target(found: Found) -> Path:
        name = PurePath(in_unicode(str(found.below)) if is_stored(folder) else found.below)
        return folder / name.with_name(name.stem + output_suffix(Path(found.below), format))

    return target


def is_zip(output: str | None) -> bool:
    """Whether results go into a .zip: a name, no folder that has one."""
    return output is not None and output.lower().endswith(".zip") and not is_folder(Path(output))


def _may_be_more(text: str) -> bool:
    if "://" in text:
        return PurePath(text).suffix.lower() not in PHOTO_SUFFIXES
    path = Path(text)
    return is_folder(path) or is_archive(path) or is_glob(text)


def _single_target(source: Path, output: str | None, word: str, format: str) -> Path:
    if output is None:
        return source.with_name(f"{source.stem}.{word}{output_suffix(source, format)}")
    if _is_folder(output):
        return place(output) / f"{source.stem}{output_suffix(source, format)}"
    return _named_file(output, format)


def _is_folder(output: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep, "/")))
    return output.endswith(separators) or is_folder(Path(output))


def _named_file(output: str, format: str) -> Path:
    """The output as one photo's file; its suffix must be one that is written, and agree with the format."""
    target = place(output)
    if target.suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(f"-o {output}: end it with {_listed(OUTPUT_SUFFIXES)}, or with / for a folder")
    if format_of_suffix(output_suffix(target, format)) != format_of_suffix(target.suffix):
        raise UsageError(f"-o {output} and --format {format} contradict each other: leave one out")
    return target


def _stream_job(inputs: Sequence[str], output: str | None, format: str) -> Job:
    if len(inputs) != 1:
        raise UsageError("- stands for one photo on standard input or output: give one INPUT")
    source = STREAM if inputs[0] == "-" else place(inputs[0])
    if output is None or output == "-":
        if source is not STREAM and _may_be_more(inputs[0]):
            raise UsageError(f"{source} is a folder: -o - takes one photo")
        return Job(source, STREAM)
    if _is_folder(output):
        raise UsageError(f"-o {output} is a folder, and a photo on standard input has no name: name the file")
    return Job(source, _named_file(output, format))


def _refuse_empty_words(inputs: Sequence[str], output: str | None) -> None:
    """As paths they would be the current folder, and are what a shell makes of a variable that is not set."""
    if output == "":
        raise UsageError("-o is empty: name a file or a folder (. for this one)")
    if "" in inputs:
        raise UsageError("an INPUT is empty: name a photo or a folder (. for this one)")


def _refuse_nested_output(output: Path, inputs: Iterable[Path]) -> None:
    real = _real(output)
    for folder in inputs:
        if _takes_in(folder, real):
            kind = "pattern" if is_glob(str(folder)) else "folder"
            raise UsageError(
                f"the output folder {output} lies inside the input {kind} {folder}: "
                "its results would be inputs the next time; name an -o outside of it"
            )


def _takes_in(given: Path, output: PurePath) -> bool:
    """Whether results in the output folder would be among what this input stands for."""
    if not is_glob(str(given)):
        return (is_stored(given) or is_folder(given)) and output.is_relative_to(_real(given))
    folder, parts = split_pattern(given)
    if not output.is_relative_to(_real(folder)):
        return False
    pattern = Pattern([fold(part) for part in parts])
    states = pattern.start
    for name in output.relative_to(_real(folder)).parts:
        if pattern.matched(states):
            break
        states = pattern.after(states, name)
    return pattern.matched(states) or pattern.goes_on(states)


def _real(path: Path) -> PurePath:
    return PurePath(str(path) if "://" in str(path) else fold(os.path.realpath(path)))


def _listed(suffixes: Iterable[str]) -> str:
    return ", ".join(sorted(suffixes))
