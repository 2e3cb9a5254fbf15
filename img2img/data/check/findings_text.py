"""The findings of a data check as text and as JSON."""

from dataclasses import asdict
from typing import Any

from img2img.data.check.findings import KINDS, DataFinding, DataReport
from img2img.data.listing import IMAGE_SUFFIXES
from img2img.text_table import text_width, wrapped_line

_NAMED = 3


def as_text(report: DataReport) -> str:
    """A short report: what is there, then each kind of finding with its first few files and what to do."""
    if not report.images:
        lines = [f"no images: training takes {' '.join(IMAGE_SUFFIXES)}, in folders and uncompressed .tar files"]
    else:
        images = f"{report.images:,} image{'s' * (report.images != 1)}"
        lines = [f"{_pairs(report)}{images}, {report.bytes / 1e6:,.1f} MB{_sizes(report)}"]
        lines = wrapped_line(lines[0]).splitlines()
    if len(report.groups) > 1:
        lines += [f"  {shown(name)}: {count:,}" for name, count in report.groups.items()]
    found = {name: findings for name, findings in report.findings.items() if findings}
    for name, findings in found.items():
        lines += ["", *_section(name, findings)]
    if not found and report.images:
        lines += ["nothing to remark"]
    return "\n".join(lines)


def as_json(report: DataReport) -> dict[str, Any]:
    """Everything that was found; per kind a list of {"name", "note"}."""
    return {"usable": report.usable} | asdict(report)


def shown(name: str) -> str:
    """A file's name, quoted with escapes where it would break the line."""
    return name if name.isprintable() else ascii(name)


def _pairs(report: DataReport) -> str:
    return "" if report.pairs is None else f"{report.pairs:,} pair{'s' * (report.pairs != 1)}, "


def _sizes(report: DataReport) -> str:
    if not (report.smallest and report.median and report.largest):
        return ""
    sizes = ("{} x {}".format(*size) for size in (report.smallest, report.median, report.largest))
    return ", smallest {}, median {}, largest {}".format(*sizes)


def _section(name: str, findings: list[DataFinding]) -> list[str]:
    kind = KINDS[name]
    lines = [
        f"{len(findings):,} {kind.word if len(findings) == 1 else kind.words}",
        wrapped_line(kind.advice, indent="  "),
    ]
    lines += [line for each in findings[:_NAMED] for line in _named(each)]
    if len(findings) > _NAMED:
        lines.append(f"    and {len(findings) - _NAMED:,} more: --list {name} prints the paths")
    return lines


def _named(finding: DataFinding) -> list[str]:
    """The file, whole, with its note behind it, or below it where that does not fit."""
    name = f"    {shown(finding.name)}"
    if not finding.note:
        return [name]
    together = f"{name}  ({shown(finding.note)})"
    return (
        [together]
        if len(together) <= text_width()
        else [name, wrapped_line(f"({shown(finding.note)})", indent=" " * 6)]
    )
