"""A batch from inputs to outcomes: registered in a journal, converted by an engine, each outcome recorded."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from img2img.batch.addresses import is_stored
from img2img.batch.engines.engine import Engine
from img2img.batch.job import Found, Job
from img2img.batch.journal.journal import Journal, stamp_of
from img2img.batch.journal.journal_file import JOURNAL_NAME
from img2img.batch.journal.register import Registered
from img2img.batch.journal.resume_rules import Stamp
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.plan import target_in
from img2img.batch.sources.archives import with_contents
from img2img.batch.task import Task
from img2img.batch.watch import rounds
from img2img.batch.zip_output import ZipOutput, zip_folder

_NOT_IN_RESULTS = ("max_pixels", "provenance", "keep_times", "if_color", "word", "leaves_own")
"""Options that say what is refused or left out, or for whose sake nothing is done again."""


@dataclass(frozen=True)
class BatchRequest:
    """What a batch is to do. `look` lists the photos, `output` is a folder, or a .zip where `zipped`."""

    look: Callable[[], Iterator[Found | Outcome]]
    output: Path
    task: Task
    options: PhotoOptions = PhotoOptions()
    zipped: bool = False
    journal: Path | None = None
    overwrite: bool = False
    stop_on_error: bool = False


class PhotoBatch:
    """A request with its journal open. Made by `open`."""

    def __init__(self, request: BatchRequest, journal: Journal, root: Path, zip_output: ZipOutput | None) -> None:
        self._request, self._journal, self._root, self._zip_output = request, journal, root, zip_output
        self._stopped = False

    @classmethod
    @contextmanager
    def open(cls, request: BatchRequest, *, copy_of: Path | None = None) -> Iterator["PhotoBatch"]:
        """Img2ImgError when the journal cannot be opened, another process's being at work there among the reasons.

        `copy_of`: the journal that the request's is a copy of: nothing below the output is touched, and what a killed
        process left half-written stays.
        """
        zip_output = ZipOutput(request.output) if request.zipped else None
        root = zip_output.folder if zip_output else request.output
        stamp = partial(_stamp_in, zip_output, root) if zip_output else stamp_of
        with Journal.open(journal_of(request), root=root, stamp=stamp, copy_of=copy_of) as journal:
            yield cls(request, journal, root, zip_output)

    def register(self) -> Registered:
        """The first pass: lists every photo and decides what is due. UsageError where one would overwrite another."""
        return self._register(self._request.look(), watching=False)

    def run(self, engine: Engine, registered: Registered) -> Iterator[Outcome]:
        """The second pass: the listing's failures, then what comes of each photo that is due; at last the .zip."""
        yield from self._round(engine, registered)
        self._pack()

    def _round(self, engine: Engine, registered: Registered) -> Iterator[Outcome]:
        for each in self._journal.failures():
            yield each
            self._stopped |= self._request.stop_on_error
        if registered.due and not self._stopped:
            yield from self._converted(engine, registered.due)

    def watch(self, engine: Engine, stop: threading.Event) -> Iterator[Outcome]:
        """Converts what is there and what appears, until `stop` is set; a photo in flight is finished."""
        for found in rounds(self._request.look, stop):
            registered = self._register(found, watching=True)
            yield from self._round(_Until(engine, stop), registered)
            if stop.is_set() or self._stopped:
                break
        self._pack()

    def _pack(self) -> None:
        if self._zip_output and not self._stopped:
            self._zip_output.pack(map(PurePath, self._journal.results()))

    def failures(self) -> Iterator[Outcome]:
        """What could not be registered."""
        return self._journal.failures()

    def replaced(self) -> Iterator[tuple[Path, str]]:
        """The files that would make way although they are not ours as we wrote them, and what they are."""
        return ((self._in_output(path), why) for path, why in self._journal.replaced())

    def sample(self, most: int, folder: Path) -> Iterator[Job | Outcome]:
        """Some of the jobs that are due, from all over the listing, with targets in a folder."""
        jobs = enumerate(self._journal.sample(most))
        yield from with_contents(replace(job, target=folder / f"{number}{job.target.suffix}") for number, job in jobs)

    def outcomes(self) -> Iterator[Outcome]:
        """What came of every photo, for a report; results in a .zip named as if it were a folder."""
        return map(self._named, self._journal.outcomes())

    def _register(self, found: Iterator[Found | Outcome], *, watching: bool) -> Registered:
        request = self._request
        return self._journal.register(
            found,
            target_in(self._root, request.options.format),
            settings=_settings(request.task, request.options),
            overwrite=request.overwrite,
            least=request.task.least,
            if_color=request.options.if_color,
            leaves_own=request.options.leaves_own,
            watching=watching,
        )

    def _converted(self, engine: Engine, count: int) -> Iterator[Outcome]:
        return map(self._recorded, engine.run(self._jobs(), count=count))

    def _jobs(self) -> Iterator[Job | Outcome]:
        """The jobs that are due, with what an archive holds read, and what came of those that come to nothing."""
        for each in with_contents(self._journal.due()):
            yield each
            if self._stopped:
                return

    def _recorded(self, outcome: Outcome) -> Outcome:
        self._stopped |= self._request.stop_on_error and outcome.status == "failed"
        return self._named(self._journal.record(outcome))

    def _named(self, outcome: Outcome) -> Outcome:
        if not self._request.zipped or outcome.target is None:
            return outcome
        return replace(outcome, target=self._in_output(outcome.target))

    def _in_output(self, target: Path) -> Path:
        return self._request.output / target.relative_to(self._root) if self._request.zipped else target


@dataclass(frozen=True)
class _Until:
    """An engine that is given no further job once `stop` is set."""

    engine: Engine
    stop: threading.Event

    def run(self, jobs: Iterable[Job | Outcome], *, count: int) -> Iterator[Outcome]:
        def until() -> Iterator[Job | Outcome]:
            waiting = iter(jobs)
            while not self.stop.is_set() and (job := next(waiting, None)):
                yield job

        return self.engine.run(until(), count=count)


def journal_of(request: BatchRequest) -> Path:
    """The one that was named, or the one that belongs to the output."""
    folder = zip_folder(request.output) if request.zipped else request.output
    return request.journal or journal_for(folder)


def journal_for(root: Path) -> Path:
    """In the output folder; for an object store, where SQLite cannot write, in the current folder."""
    if not is_stored(root):
        return root / JOURNAL_NAME
    word = "".join(each if each.isalnum() else "-" for each in str(root)).strip("-")
    return Path(f"{JOURNAL_NAME.removesuffix('.sqlite')}-{word}.sqlite")


def _settings(task: Task, options: PhotoOptions) -> dict[str, Any]:
    chosen = asdict(options)
    for name in _NOT_IN_RESULTS:
        del chosen[name]
    return {**task.settings(), **chosen}


def _stamp_in(zip_output: ZipOutput, root: Path, target: Path) -> Stamp | None:
    size = zip_output.holds(PurePath(target.relative_to(root)))
    return stamp_of(target) or (Stamp(size, None) if size else None)
