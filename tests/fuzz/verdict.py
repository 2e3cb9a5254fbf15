"""What came of one file: refused with a reason, read and right, or a finding."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from img2img.errors import Img2ImgError

REFUSED, AGREED, ALONE = "refused", "agreed", "alone"
"""`ALONE`: read, and no second decoder read it."""
FINE = frozenset((REFUSED, AGREED, ALONE))
_LONGEST_REASON = 1000


@dataclass(frozen=True)
class Verdict:
    """`kind` is one of FINE, or what kind of finding it is: "exception", "crash", "hang", "memory", "stderr", "unclear
    error", "differs", "result differs", "unreadable result", "left over". `detail` says it in one line.
    """

    kind: str
    detail: str = ""

    @property
    def is_finding(self) -> bool:
        return self.kind not in FINE

    @property
    def signature(self) -> str:
        """The same for findings that seem to have one cause: numbers and quoted words are left out."""
        return f"{self.kind}: " + re.sub(r"0x[0-9a-f]+|-?\d+(\.\d+)?|'[^']*'|b\"[^\"]*\"", "_", self.detail)[:120]


Comparison = Callable[[], Verdict]
"""What a second decoder makes of the file: its own crash or hang is no finding."""
Target = Callable[[Path, Path], Verdict | Comparison]
"""Reads or converts the file, given an empty folder for results. Refusals are raised, as by img2img itself."""


def judged(target: Target, path: Path, folder: Path) -> Verdict | Comparison:
    """What the target makes of the file; any exception becomes a verdict."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)  # each time, not once a process
        warnings.filterwarnings("always", category=RuntimeWarning)
        try:
            return target(path, folder)
        except Img2ImgError as error:
            return refusal(str(error), path, folder)
        except MemoryError:
            return Verdict("memory", "MemoryError")
        except Exception as error:
            return Verdict("exception", f"{type(error).__name__}: {one_line(str(error))} {_place(error)}")


def refusal(reason: str, path: Path, folder: Path) -> Verdict:
    """Of an error's message: whether it names the file in one line, and blames nobody else."""
    said = one_line(reason).replace(str(path), path.name)
    if "not enough memory" in reason:
        return Verdict("memory", said)
    if "a mistake in img2img" in reason or "Traceback" in reason:
        return Verdict("exception", said)
    names_it = path.name in reason or str(folder) in reason
    if not names_it or "\n" in reason.strip() or len(reason) > _LONGEST_REASON:
        return Verdict("unclear error", said)
    return Verdict(REFUSED, said)


def of_stderr(text: str, name: str) -> Verdict | None:
    """A finding where a line says something of no file."""
    nameless = [line for line in text.splitlines() if line.strip() and name not in line]
    return Verdict("stderr", one_line(nameless[-1])) if nameless else None


def one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def _place(error: BaseException) -> str:
    """The innermost line of img2img's that the exception passed."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "img2img" in Path(code.co_filename).parts:
            place = f"({Path(code.co_filename).name}, {code.co_name})"
        trace = trace.tb_next
    return place
