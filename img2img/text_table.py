"""Tables and lists for a terminal of any width: names are never cut, long cells wrap, and wide rows become blocks."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence

PIPE_WIDTH = 160
"""Where no terminal is, and COLUMNS says nothing."""
_GAP = 2
_LONGEST_WORD = 24  # of a cell; what is longer, such as a path, may be broken


def text_width() -> int:
    """Columns of the terminal, or of the variable COLUMNS."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns


def text_table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """A row each below the titles, as wide as `width` or as the terminal; cells may be of several lines.

    The first column holds names, which stand whole in one line. Numbers stand to the right. Where the columns cannot be
    made narrow enough, each row becomes a block: its name, then a line for each title.
    """
    width = width or text_width()
    cells = [list(titles), *map(list, rows)]
    widths = _fitted([_column(cells, number) for number in range(len(titles))], width)
    if widths is None:
        return "\n".join(_block(titles, row, width) for row in rows)
    right = [number > 0 and _are_numbers(row[number] for row in rows) for number in range(len(titles))]
    return "\n".join(line for row in cells for line in _row(row, widths, right))


def text_list(rows: Sequence[tuple[str, str]], *, width: int | None = None, gap: int = _GAP) -> str:
    """A title and a text each, of one line or several; what does not fit goes on below its beginning."""
    width = width or text_width()
    indent = max((len(title) for title, _ in rows), default=0) + gap
    lines = []
    for title, text in rows:
        first, *others = _wrapped(text, max(width - indent, 1)) or [""]
        lines += [f"{title.ljust(indent)}{first}".rstrip(), *(" " * indent + other for other in others)]
    return "\n".join(lines)


def wrapped_line(text: str, *, indent: str = "", width: int | None = None) -> str:
    """A sentence over as many lines as it takes; words, such as names of files, stay whole."""
    return textwrap.fill(
        text,
        width or text_width(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _column(cells: Sequence[Sequence[str]], number: int) -> list[str]:
    return [line for row in cells for line in row[number].split("\n")]


def _fitted(columns: Sequence[list[str]], width: int) -> list[int] | None:
    """The widths of the columns, the widest of which give way; None where none are narrow enough."""
    widths = [max(map(len, lines)) for lines in columns]
    words = (max((len(word) for line in lines for word in line.split()), default=1) for lines in columns)
    least = [min(wide, word, _LONGEST_WORD) for wide, word in zip(widths, words, strict=True)]
    least[0] = widths[0]
    room = width - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        number = max(range(len(widths)), key=lambda each: widths[each] - least[each])
        widths[number] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    wrapped = [_wrapped(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = (lines_of[number] if number < len(lines_of) else "" for lines_of in wrapped)
        placed = (
            part.rjust(wide) if to_right else part.ljust(wide)
            for part, wide, to_right in zip(parts, widths, right, strict=True)
        )
        lines.append((" " * _GAP).join(placed).rstrip())
    return lines


def _block(titles: Sequence[str], row: Sequence[str], width: int) -> str:
    below = [(f"  {title}", cell) for title, cell in zip(titles[1:], row[1:], strict=True) if cell]
    return "\n".join([row[0], text_list(below, width=width)] if below else [row[0]])


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width`; a line that is indented goes on indented."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        fits = len(line) <= width or len(indent) >= width - 1
        lines += [line] if fits else textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
    return lines


def _are_numbers(texts: Iterable[str]) -> bool:
    """All but the empty ones."""
    found = list(filter(None, texts))
    return bool(found) and all(map(_is_number, found))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
