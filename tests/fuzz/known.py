"""Findings that are told no more: faults of a decoder that img2img cannot work around."""

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


KNOWN: tuple[Known, ...] = (
    Known(
        names="archive/lzma",
        target="archive",
        said="^memory: .*: not enough memory",
        reason="zipfile has liblzma reserve a dictionary as large as a member's header says, up to 4 GiB",
    ),
)


def is_known(name: str, target: str, verdict: Verdict) -> bool:
    said = f"{verdict.kind}: {verdict.detail}"
    return any(
        re.fullmatch(each.names, name) and re.fullmatch(each.target, target) and re.search(each.said, said)
        for each in KNOWN
    )
