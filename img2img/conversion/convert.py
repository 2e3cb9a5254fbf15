"""Converting what was named, whatever it is: the one way in for Python, the command line and servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import IOBase
from itertools import chain
from pathlib import Path
from typing import Any, cast

from img2img.atomic_file import exists, is_folder
from img2img.batch.outcome import Outcome
from img2img.batch.report import write_report
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.conversion import Conversion, FilmProgress, recorded
from img2img.conversion.inputs import absent_inputs, check_inputs, named_photo
from img2img.conversion.option import check_names
from img2img.conversion.options import ConversionOptions
from img2img.conversion.photo import one_photo
from img2img.conversion.translate_options import TranslateOptions
from img2img.errors import ModelError, UsageError
from img2img.inference.run_model import settled_model
from img2img.model_file import find_model, read_card

Name = str | os.PathLike[str]


def convert(
    inputs: Name | Iterable[Name], output: Name | None = None, *, model: Name = "colorizer", **options: Any
) -> Iterator[Outcome]:
    """Colour or translate photos, folders, archives or films, and yield what came of each, as it is done.

        for outcome in convert(["album"], "coloured", model="colorizer", strength=1.2):
            print(outcome.status, outcome.target, outcome.error or "")

    `inputs` and `output` are those of `img2img colorize` and `img2img translate`, the options theirs too: the fields of
    ColorizeOptions or TranslateOptions, whichever the model is for. One photo needs no output and lands beside itself.
    Photos that nothing is to be done for come first, as "skipped", with the reason in `flags`; a photo that cannot be
    converted is a "failed" outcome with its `error`, and the others go on.

    Nothing begins before the first outcome is asked for. Closing the iterator finishes the photos in flight and leaves
    what Ctrl-C leaves: the same call goes on from there; those photos are done again. With `watch=True` it ends when
    it is closed, or in the main thread at Ctrl-C.

    Raises, at the call, ModelError for a model that is not there or makes pictures from noise, and UsageError for an
    option that is none or has a value it cannot have. With the first outcome, before anything is written: UsageError
    where inputs, output and options contradict each other or two results would have one name, FilmError where the
    packages for films are missing, and Img2ImgError where another process holds the output's journal. During the work
    ModelError, where the model cannot run; at the end Img2ImgError, where the report cannot be written.
    """
    chosen = options_for(model, options)
    return _outcomes(_names(inputs), None if output is None else os.fspath(output), chosen)


def _names(inputs: Name | Iterable[Name]) -> list[str]:
    """Raises TypeError for pictures that have no name: a result would have no place, and no journal could know it."""
    single = isinstance(inputs, str | bytes | IOBase) or not isinstance(inputs, Iterable)
    given: list[object] = [inputs] if single else [*cast("Iterable[object]", inputs)]
    names = [os.fspath(each) for each in given if isinstance(each, str | os.PathLike)]
    if len(names) < len(given):
        kind = next(type(each).__name__ for each in given if not isinstance(each, str | os.PathLike))
        raise TypeError(
            f"convert takes names of files and folders, not a value of type {kind}: load(model) gives what takes "
            "pictures in memory"
        )
    return names


def options_for(model: Name, options: dict[str, Any]) -> ConversionOptions:
    """The options of what this model is for. Raises ModelError and UsageError."""
    name = settled_model(model)
    kind = _KINDS.get(read_card(find_model(name)).task)
    if kind is None:
        raise ModelError(f"{name}: converts no photos; `img2img models` says what each is for")
    check_names(kind, options)
    return kind(model=name, **options)


_KINDS: dict[str, type[ColorizeOptions] | type[TranslateOptions]] = {
    kind.model_task: kind for kind in (ColorizeOptions, TranslateOptions)
}


def _outcomes(inputs: list[str], output: str | None, options: ConversionOptions) -> Iterator[Outcome]:
    with open_conversion(inputs, output, options) as conversion:
        yield from conversion.left_alone()
        yield from conversion.outcomes


@contextmanager
def open_conversion(
    inputs: Sequence[str],
    output: str | None,
    options: ConversionOptions,
    progress: FilmProgress = lambda film, done, total: None,
) -> Iterator[Conversion]:
    """As `convert`, for callers that want to know beforehand what is to come: all is planned, no model is opened yet.

    At the end of the block, whatever ends it, the report is written. `progress` is told of a film's frames.
    """
    films = check_inputs(inputs, options)
    if absent := absent_inputs(inputs, output, options, films=films):
        opened: AbstractContextManager[Conversion] = nullcontext(recorded(absent, films=films, total=len(absent)))
    else:
        options = options.settled()
        opened = _films(inputs, output, options, progress) if films else _photos(inputs, output, options)
    with opened as conversion:
        try:
            yield conversion
        finally:
            if options.report:
                _report(conversion, options.report)


def _films(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, progress: FilmProgress
) -> AbstractContextManager[Conversion]:
    from img2img.conversion.films import open_films

    return nullcontext(open_films(inputs, output, options, progress))


def _photos(
    inputs: Sequence[str], output: str | None, options: ConversionOptions
) -> AbstractContextManager[Conversion]:
    single = named_photo(inputs, output, options)
    if single is not None and not keeps_a_journal(output, options):
        refuse_what_is_for_many(options)
        return nullcontext(one_photo(single, options))
    from img2img.conversion.photos import open_photos  # with SQLite, which one photo does without

    return open_photos(inputs, output, options, many=single is None)


def refuse_what_is_for_many(options: ConversionOptions) -> None:
    """Raises UsageError for what would do nothing for one photo by itself."""
    if options.journal is not None:
        raise UsageError("--journal is for a folder of results, and one photo by itself needs none: leave it out")
    if options.engine == "ray":
        raise UsageError(
            "--engine ray is for many photos: one is converted here, sooner than a cluster begins; leave it out"
        )


def keeps_a_journal(output: str | None, options: ConversionOptions) -> bool:
    """Whether the output is a folder with a journal, which may know of one photo's earlier result, too."""
    if output is None or options.for_one_photo:
        return False
    if not (is_folder(Path(output)) or output.endswith(("/", os.sep))):
        return False
    from img2img.batch.journal.journal_file import JOURNAL_NAME

    return options.journal is not None or exists(Path(output) / JOURNAL_NAME)


def _report(conversion: Conversion, path: Path) -> None:
    """None where nothing came of anything, for the reason that is being raised."""
    records = iter(conversion.records())
    first = next(records, None)
    if first is not None:
        write_report(chain([first], records), path)
    elif not sys.exc_info()[0]:
        write_report([], path)
