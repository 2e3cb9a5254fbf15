"""Findings that are told no more: those that stay, of a decoder or of the comparison, and those not mended yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fuzz.verdict import Verdict


@dataclass(frozen=True)
class Known:
    """`names`, `target` and `said` are regular expressions: of samples' names, a target, and "kind: detail"."""

    names: str
    target: str
    said: str
    reason: str


KNOWN: tuple[Known, ...] = ()

# Our own faults, each of which stands in test_found.py, too: a line goes when its fault does.
NOT_YET: tuple[Known, ...] = (
    Known("tiff/.*", ".*", "^stderr", "libtiff, tifffile and Pillow say on stderr what they think of a damaged TIFF"),
    Known("tiff/.*", ".*", "^memory", "a strip's length in the file is asked of the system as memory"),
    Known("tiff/.*", "photo", "^differs", "strips that are missing come out black"),
    Known("png/.*", "photo", "^differs: from OpenCV", "rows that are missing from whole packed data come out black"),
    Known("gif/.*", "conversion", r"^exception.*_gif_moves", "the look whether a GIF moves lets exceptions out"),
    Known("archive/.*", "archive", "^exception: UnicodeEncodeError", "the journal keeps text"),
)


def is_known(name: str, target: str, verdict: Verdict) -> bool:
    said = f"{verdict.kind}: {verdict.detail}"
    return any(
        re.fullmatch(each.names, name) and re.fullmatch(each.target, target) and re.search(each.said, said)
        for each in (*KNOWN, *NOT_YET)
    )
