"""python -m tests.fuzz: how long, from which seed, which groups; or one case again."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from fuzz.samples import GROUPS, group
from fuzz.session import Case, Session, cases
from fuzz.worker import Worker


def main(words: Sequence[str] | None = None) -> int:
    """1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Reads damaged files by the thousand.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (%(default)s)")
    parser.add_argument("--seed", type=int, help="of all that is drawn; without it another each time")
    parser.add_argument("--only", type=_groups, default=list(GROUPS), help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--found", type=Path, help="the folder for findings; without it a temporary one")
    parser.add_argument("--case", type=_case, metavar="NAME:SEED", help="this one alone, not made smaller")
    options = parser.parse_args(words)
    found = options.found or Path(mkdtemp(prefix="fuzz-found-"))
    with Worker() as worker:
        if options.case:
            return _one(options.case, Session(worker, found, shrink_seconds=0))
        return _many(options.only, options.seed, options.minutes, Session(worker, found))


def _many(groups: list[str], seed: int | None, minutes: float, session: Session) -> int:
    seed = random.randrange(1_000_000) if seed is None else seed
    print(f"--seed {seed}, findings go to {session.found}", flush=True)
    session.tell = lambda line: print(line, flush=True)
    try:
        session.run(cases(groups, seed), 60 * minutes)
    except KeyboardInterrupt:
        print("stopped")
    counts = ", ".join(f"{count} {kind}" for kind, count in session.verdicts.most_common())
    print(f"{session.cases} cases: {counts or 'nothing'}; {len(session.findings)} findings")
    return 1 if session.findings else 0


def _one(case: Case, session: Session) -> int:
    """Also what is known already is told."""
    session.found.mkdir(parents=True, exist_ok=True)
    path = session.found / f"{str(case).replace('/', '-').replace(':', '-')}{case.sample.suffix}"
    path.write_bytes(case.data())
    print(f"{path}, {path.stat().st_size} bytes")
    verdicts = {target: session.verdict(target, case.data(), case.sample) for target in case.sample.targets}
    for target, verdict in verdicts.items():
        print(f"{target}: {verdict.kind} {verdict.detail}".rstrip())
    return 1 if any(verdict.is_finding for verdict in verdicts.values()) else 0


def _groups(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in GROUPS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(GROUPS)}")
    return names


def _case(text: str) -> Case:
    try:
        case = Case.named(text)
        case.data()
    except (KeyError, ValueError):
        kinds = [name for each in GROUPS for name in group(each)]
        raise argparse.ArgumentTypeError(f"{text}: NAME:SEED, of {', '.join(kinds)}") from None
    return case
