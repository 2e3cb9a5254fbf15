"""Jobs: many photos, or a film, converted by the batch and the film code, as one zip or one film at the end."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from img2img.atomic_file import files_below
from img2img.batch.job_files import size_of
from img2img.batch.outcome import COLORED_BY_US, IN_COLOR, LOW_SCORE, OWN_RESULT, Outcome
from img2img.conversion.options import ConversionOptions
from img2img.serving.problem import Refusal, refusal_for
from img2img.serving.upload import plain_words

JobStatus = Literal["waiting", "working", "done", "failed", "stopped"]
FINISHED = ("done", "failed", "stopped")
LONGEST_BETWEEN_LOOKS = 60.0  # seconds
FRAMES_BETWEEN = 25  # looks at the space that is left
RESULTS = "coloured-or-translated.zip"
_IN_COLOR = "in colour already: if-color=redo colours them again, if-color=copy copies them"
_LEFT_OUT = {
    IN_COLOR: _IN_COLOR,
    COLORED_BY_US: _IN_COLOR,
    LOW_SCORE: "of a score below min-score",
    OWN_RESULT: f"{OWN_RESULT}, by their names or their XMP",
}
"""What is said of a job whose photos are all left out, by their flags."""


class JobStopped(Exception):
    """Raised inside a film that is not wanted any more."""


@dataclass
class ServerJob:
    """One job: `version` grows with every change, so that a watcher sees that there is news."""

    id: str
    folder: Path
    options: ConversionOptions
    films: bool = False
    total: int = 0
    status: JobStatus = "waiting"
    error: str | None = None
    frames: tuple[int, int] = (0, 0)
    outcomes: list[Outcome] = field(default_factory=list)
    result: Path | None = None
    ended: float = 0.0
    version: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    removed: bool = False
    room: Callable[[], int] = lambda: 1

    @property
    def uploads(self) -> Path:
        return self.folder / "in"

    @property
    def film_output(self) -> str:
        return f"{self.folder}/out/"

    def run(self) -> None:
        """Converts all that was uploaded; what goes wrong is told by the status."""
        self._change(status="working")  # before the look at `stop`, for `JobStore.remove` looks after it has set that
        try:
            if not self.stop.is_set():
                self._convert()
        except JobStopped:
            pass
        except Exception as error:
            self.error = self._plain(refusal_for(error).detail)
        self._end()

    def _convert(self) -> None:
        from img2img.conversion.convert import open_conversion  # here: a server that makes no jobs starts sooner

        files = sorted(self.uploads.iterdir())
        inputs = [str(each) for each in files] if self.films else [str(self.uploads)]
        output = self.film_output if self.films else str(self.folder / RESULTS)
        with open_conversion(inputs, output, self.options, self._film_progress) as conversion:
            for outcome in conversion.outcomes:
                self.outcomes.append(outcome)
                self._change()
                if self.stop.is_set():
                    break
                self._check_room()
            else:
                self.result = self.folder / RESULTS if not self.films else self.outcomes[-1].target
                self.error = self._why_nothing()

    def _why_nothing(self) -> str | None:
        """Where all photos are left out: there is no zip then, and no error to say so."""
        if not all(each.status == "skipped" for each in self.outcomes):
            return None
        flags = {flag for each in self.outcomes for flag in each.flags}
        reasons = dict.fromkeys(words for flag, words in _LEFT_OUT.items() if flag in flags)
        return f"all photos are {', or '.join(reasons)}" if reasons else None

    def _film_progress(self, film: Path, done: int, total: int) -> None:
        self._change(frames=(done, total))
        if self.stop.is_set():
            raise JobStopped
        if done % FRAMES_BETWEEN == 0:
            self._check_room()

    def _check_room(self) -> None:
        if self.room() < 0:
            raise Refusal(413, "the results need more space than this server gives to jobs (--job-space)")

    def _end(self) -> None:
        if not (there := self.result is not None and self.result.is_file()):
            self.result = None
        for folder in (self.uploads, self.folder / "reference") if there else (self.folder,):
            shutil.rmtree(folder, ignore_errors=True)
        self.ended = time.monotonic()
        self._change(status="done" if there else "stopped" if self.stop.is_set() else "failed")
        if self.removed:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _change(self, **changes: Any) -> None:
        for name, value in changes.items():
            self.__setattr__(name, value)
        self.version += 1

    def _plain(self, words: str) -> str:
        return plain_words(plain_words(words, self.uploads), self.folder)

    def described(self) -> dict[str, Any]:
        """For JSON."""
        counts = {
            status: sum(each.status == status for each in self.outcomes) for status in ("done", "failed", "skipped")
        }
        done, frames = self.frames
        return {
            "id": self.id,
            "status": self.status,
            "photos": self.total,
            **{f"photos_{status}": count for status, count in counts.items()},
            "frames": frames if self.films else None,
            "frames_done": done if self.films else None,
            "error": self.error,
            "outcomes": [self._outcome(each) for each in self.outcomes],
            "result": f"/api/v1/jobs/{self.id}/result" if self.result else None,
        }

    def _outcome(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "name": outcome.source.name,
            "status": outcome.status,
            "error": outcome.error and self._plain(outcome.error),
            "flags": list(outcome.flags),
            "score": outcome.score,
        }


class JobStore:
    """The jobs of one server and their folders, all in one temporary folder; `space` bytes at most, `hours` old."""

    def __init__(self, space: int, hours: float) -> None:
        self._space, self._seconds = space, hours * 3600
        self._home = TemporaryDirectory(prefix="img2img-jobs-", ignore_cleanup_errors=True)
        self._jobs: dict[str, ServerJob] = {}
        self._reserved = 0

    def new(self, options: ConversionOptions) -> ServerJob:
        name = secrets.token_urlsafe(18)
        job = ServerJob(name, Path(self._home.name, name), options, room=self._unused)
        job.uploads.mkdir(parents=True)
        self._jobs[name] = job
        return job

    @property
    def seconds_between_looks(self) -> float:
        """How long a job may be there beyond its hours: a minute, or a tenth of them where that is less."""
        return min(LONGEST_BETWEEN_LOOKS, self._seconds / 10)

    def get(self, name: str) -> ServerJob:
        """Raises Refusal for one that is not there, or not any more."""
        self.remove_old()
        if name not in self._jobs:
            raise Refusal(404, "no such job, or not any more")
        return self._jobs[name]

    def room(self) -> int:
        """Bytes that are left to an upload: none of those that others were promised."""
        return self._unused() - self._reserved

    def _unused(self) -> int:
        """Bytes that no file takes. A job at work may have them: it must not fail for an upload that may never come."""
        return self._space - sum(size_of(each) or 0 for each in files_below(Path(self._home.name)))

    @contextmanager
    def reserved(self, length: int | None) -> Iterator[int]:
        """How many bytes an upload may have; all that are left where it does not say how many it brings."""
        self.remove_old()
        most = max(0, self.room())
        taken = most if length is None else min(length, most)
        self._reserved += taken
        try:
            yield most
        finally:
            self._reserved -= taken

    def remove(self, job: ServerJob) -> None:
        """At work it ends after the photo in hand, and its files go then."""
        job.removed = True
        job.stop.set()
        self._jobs.pop(job.id, None)
        if job.status != "working":
            shutil.rmtree(job.folder, ignore_errors=True)

    def remove_old(self) -> None:
        now = time.monotonic()
        for job in list(self._jobs.values()):
            if job.status in FINISHED and now - job.ended > self._seconds:
                self.remove(job)

    def stop(self) -> None:
        """All of them, each after the photo in hand."""
        for job in self._jobs.values():
            job.stop.set()

    def close(self) -> None:
        self._home.cleanup()
