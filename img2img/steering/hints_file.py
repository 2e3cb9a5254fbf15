"""Hints as a file, `photo.hints.json`: what the page and the command line save and load.

{"img2img": "hints", "version": 1, "hints": [{"x": "52%", "y": 300, "color": "#3a6b35"}]}: percent as text, a pixel as a
number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from img2img.atomic_file import reason_for
from img2img.errors import UsageError
from img2img.steering.colors import hexadecimal, parse_color
from img2img.steering.hints import Coordinate, Hint

VERSION = 1
MOST_HINTS = 256
"""In one file: each takes a millisecond of every picture."""
_LARGEST = 1 << 20  # bytes: far more than MOST_HINTS take
_EXAMPLE = '{"x": "52%", "y": 300, "color": "#3a6b35"}'


def read_hints(path: Path) -> tuple[Hint, ...]:
    """The hints of a file. Raises UsageError when it cannot be read, or holds no hints."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise UsageError(f"{path}: {reason_for(error, 'read')}") from None
    return hints_of_json(content, str(path))


def hints_of_json(text: str | bytes, source: str) -> tuple[Hint, ...]:
    """The hints of such a file's content; `source` names it in a UsageError."""
    if len(text) > _LARGEST:
        raise UsageError(f"{source}: too large for hints ({MOST_HINTS} at most): name a file that img2img saved")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source}: damaged, not JSON ({error}): save the hints again") from None
    if not isinstance(content, dict) or content.get("img2img") != "hints":
        raise UsageError(f'{source}: holds no hints ("img2img": "hints" is missing): name a file that img2img saved')
    if (version := content.get("version")) != VERSION or isinstance(version, bool):
        raise UsageError(f"{source}: hints of version {version!r}, this img2img reads {VERSION}: update img2img")
    hints = content.get("hints")
    if not isinstance(hints, list) or len(hints) > MOST_HINTS:
        raise UsageError(f'{source}: "hints" is not a list of at most {MOST_HINTS}: each is {_EXAMPLE}')
    return tuple(_hint(hint, f"{source}: hint {number}") for number, hint in enumerate(hints, 1))


def json_of_hints(hints: Sequence[Hint]) -> str:
    """The content of a file that `hints_of_json` reads back as they are."""
    rows = [{"x": _written(hint.x), "y": _written(hint.y), "color": hexadecimal(hint.color)} for hint in hints]
    return json.dumps({"img2img": "hints", "version": VERSION, "hints": rows}, indent=1) + "\n"


def _hint(hint: object, source: str) -> Hint:
    if not isinstance(hint, dict) or not {"x", "y", "color"} <= hint.keys():
        raise UsageError(f"{source}: has no x, y and color: write it as {_EXAMPLE}")
    color = hint["color"]
    if not isinstance(color, str):
        raise UsageError(f"{source}: color is {color!r}: write it as text, such as #3a6b35")
    try:
        return Hint(_coordinate(hint["x"]), _coordinate(hint["y"]), parse_color(color))
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from None


def _coordinate(value: object) -> Coordinate:
    if isinstance(value, str):
        return Coordinate.parse(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f'{value!r} is no coordinate: write a whole number for a pixel, or percent as "52%"')
    return Coordinate(value, in_percent=False)


def _written(coordinate: Coordinate) -> str | int:
    return str(coordinate) if coordinate.in_percent else int(coordinate.value)
