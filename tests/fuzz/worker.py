"""A process that reads one file after another, with limits; and the side of it that asks, which outlives its end."""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import IO

from fuzz.verdict import ALONE, Target, Verdict, judged, of_stderr, one_line

_TESTS = Path(__file__).parents[1]
_COMPARING = b"comparing\n"


@dataclass(frozen=True)
class Limits:
    """Of one file: seconds of processor time, seconds in all, and bytes of address space beyond the start's."""

    seconds: int = 20
    patience: int = 60  # more than `seconds`, for a machine that has more to do
    memory: int = 2 << 30


class Worker:
    """Asks the process; begins a new one where the last was ended. A context manager."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._folder = Path(mkdtemp(prefix="fuzz-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def verdict(self, target: str, data: bytes, suffix: str) -> Verdict:
        """What "module:function" makes of a file of these bytes."""
        case = self._folder / "case"
        shutil.rmtree(case, ignore_errors=True)
        (case / "out").mkdir(parents=True)
        path = case / f"damaged{suffix}"
        path.write_bytes(data)
        process = self._process or self._started()
        assert process.stdin
        process.stdin.write(json.dumps([target, str(path), str(case / "out")]).encode() + b"\n")
        process.stdin.flush()
        answer = self._line(process)
        comparing = answer == _COMPARING
        if comparing:
            answer = self._line(process)
        if answer.endswith(b"\n"):
            return Verdict(*json.loads(answer))
        verdict = self._why_ended(process, timed_out=answer == b"late")
        return Verdict(ALONE, f"the second decoder: {verdict.kind}") if comparing else verdict

    @property
    def _stderr(self) -> Path:
        return self._folder / "stderr"

    def _started(self) -> subprocess.Popen[bytes]:
        paths = [str(_TESTS), str(_TESTS.parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
        environment["TMPDIR"] = str(self._folder)
        self._stderr.write_bytes(b"")
        with self._stderr.open("ab") as stderr:
            limits = [str(self._limits.seconds), str(self._limits.memory), str(self._stderr)]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fuzz.worker", *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                cwd=self._folder,
                bufsize=0,  # select does not see what a buffer holds
            )
        return self._process

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        """What the process says; less than a line where it ended, "late" where it says nothing."""
        assert process.stdout
        if not select.select([process.stdout], [], [], self._limits.patience)[0]:
            return b"late"
        return process.stdout.readline()

    def _why_ended(self, process: subprocess.Popen[bytes], *, timed_out: bool) -> Verdict:
        said = self._stderr.read_text(errors="replace").strip()
        if timed_out:
            self._end()
            return Verdict("hang", f"{self._limits.patience} s, and no end")
        status = process.wait()
        self._end()
        if status == -signal.SIGXCPU:
            return Verdict("hang", f"{self._limits.seconds} s of computing, and no end")
        last = one_line(said.splitlines()[-1]) if said else ""
        ended = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return Verdict("crash", f"{ended} {last}".strip())

    def _end(self) -> None:
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
            self._process.kill()
            self._process.wait()
        self._process = None


def main(seconds: int, memory: int, stderr: Path) -> None:
    """The process: a line with target, file and folder in, a line with kind and detail out."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    limited = False
    for line in sys.stdin:
        name, path, folder = json.loads(line)
        target = _target(name)
        if not limited:  # after the imports
            _limit_memory(memory)
            limited = True
        _limit_time(seconds)
        os.truncate(stderr, 0)
        verdict = _answer(target, Path(path), Path(folder), stderr, answers)
        answers.write(json.dumps([verdict.kind, verdict.detail]).encode() + b"\n")
        answers.flush()


def _answer(target: Target, path: Path, folder: Path, stderr: Path, answers: IO[bytes]) -> Verdict:
    result = judged(target, path, folder)
    sys.stderr.flush()
    fault = of_stderr(stderr.read_text(errors="replace"), path.name)
    if isinstance(result, Verdict):
        return result if result.is_finding else fault or result
    if fault:
        return fault
    answers.write(_COMPARING)
    answers.flush()
    return result()


@cache
def _target(name: str) -> Target:
    module, function = name.split(":")
    found: Target = vars(importlib.import_module(module))[function]
    return found


def _limit_memory(beyond: int) -> None:
    """Of address space: what is there now, and so much more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + beyond, hard))


def _limit_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
