"""Cases one after another until the time is over, what they found, and the files that show it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzz.known import is_known
from fuzz.mutations import mutate
from fuzz.samples import group
from fuzz.samples.sample import Sample
from fuzz.shrink import shrunk
from fuzz.verdict import Verdict
from fuzz.worker import Worker

# How often each group's turn comes: more often where there is more to go wrong, less where a case takes long.
_TURNS = {"png": 4, "jpeg": 4, "tiff": 5, "webp": 2, "gif": 2, "bmp": 1, "heif": 1, "archive": 2, "film": 1}
_FEW_TURNS = {"other": 0.2, "sequence": 0.3}


@dataclass(frozen=True)
class Case:
    """A sample and a seed: all that says which bytes are read."""

    name: str
    seed: int

    @classmethod
    def named(cls, text: str) -> Case:
        """Of NAME:SEED. Raises ValueError."""
        name, _, seed = text.rpartition(":")
        return cls(name, int(seed))

    def __str__(self) -> str:
        return f"{self.name}:{self.seed}"

    @property
    def sample(self) -> Sample:
        """Raises KeyError."""
        return group(self.name.split("/")[0])[self.name]

    def data(self) -> bytes:
        rng = Random(str(self))
        others = list(group(self.name.split("/")[0]).values())
        donors = [(each.data, each.container) for each in rng.sample(others, min(2, len(others)))]
        return mutate(self.sample.data, self.sample.container, rng, donors)


@dataclass(frozen=True)
class Finding:
    case: Case
    target: str
    verdict: Verdict
    data: bytes

    @property
    def line(self) -> str:
        return f"{self.case} {self.target}: {self.verdict.kind}: {self.verdict.detail} ({len(self.data)} bytes)"


@dataclass
class Session:
    """`found` is the folder for findings. One is told of each, and written once, however many cases show it."""

    worker: Worker
    found: Path
    tell: Callable[[str], None] = print
    shrink_seconds: float = 15
    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)

    def run(self, cases: Iterator[Case], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for case in cases:
            if time.monotonic() >= deadline:
                return
            self.look_at(case)

    def look_at(self, case: Case) -> None:
        sample, data = case.sample, case.data()
        self.cases += 1
        for target in sample.targets:
            verdict = self.verdict(target, data, sample)
            known = verdict.is_finding and is_known(sample.name, target, verdict)
            self.verdicts["known" if known else verdict.kind] += 1
            if verdict.is_finding and not known:
                self._note(Finding(case, target, verdict, data), sample)

    def verdict(self, target: str, data: bytes, sample: Sample) -> Verdict:
        return self.worker.verdict(f"fuzz.targets:{target}", data, sample.suffix)

    def _note(self, finding: Finding, sample: Sample) -> None:
        signature = f"{sample.container} {finding.verdict.signature}"  # the same one, whatever was done with the file
        if signature in self.findings:
            return

        def still(data: bytes) -> bool:
            return self.verdict(finding.target, data, sample).signature == finding.verdict.signature

        small = shrunk(finding.data, sample.container, still, seconds=self.shrink_seconds)
        finding = Finding(finding.case, finding.target, finding.verdict, small)
        self.findings[signature] = finding
        self._write(finding, sample)
        self.tell(finding.line)

    def _write(self, finding: Finding, sample: Sample) -> None:
        self.found.mkdir(parents=True, exist_ok=True)
        name = f"{str(finding.case).replace('/', '-').replace(':', '-')}-{finding.target}{sample.suffix}"
        (self.found / name).write_bytes(finding.data)
        with (self.found / "findings.txt").open("a") as lines:
            lines.write(f"{name}: {finding.line}\n")


def cases(groups: Sequence[str], seed: int) -> Iterator[Case]:
    """Without end, the same for the same groups and seed."""
    turns = _TURNS | _FEW_TURNS
    there = [name for name in groups if group(name)]
    rng = Random(seed)
    while there:
        name = rng.choices(there, [turns[each] for each in there])[0]
        yield Case(rng.choice(sorted(group(name))), rng.randrange(1_000_000_000))
