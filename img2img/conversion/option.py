"""What is said once of an option: for the command line, for Python's keywords and for their checks."""

import os
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Union, get_args, get_origin

from img2img.choices import meant_or_all, one_of
from img2img.errors import UsageError

Group = Literal["Results", "Colours", "Speed", "Big batches", "Films"]


class OptionsClass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True)
class Option:
    """What stands in the `Annotated` type of a dataclass's field. `least` and `most` are the ends of its range.

    `check` raises UsageError; of several values it is called with each. `separator`: between several in one text.
    `aliases`: other names of its choices. `photos_only`: refused for films. `over_http`: whether a server lets its
    callers set it.
    """

    help: str
    group: Group = "Results"
    metavar: str | None = None
    least: float | None = None
    most: float | None = None
    check: Callable[[Any], None] | None = None
    separator: str | None = None
    aliases: Mapping[str, str] | None = None
    photos_only: bool = False
    over_http: bool = False
    show_default: bool = True


@dataclass(frozen=True)
class OptionField:
    """One field of an options class; `several`: of any number of values, a tuple."""

    field: str
    hint: Any
    kind: Any  # of one value: the hint without what is optional about it, or that there may be several
    default: Any
    option: Option
    several: bool = False

    @property
    def name(self) -> str:
        """As one writes it on the command line."""
        return f"--{self.field.replace('_', '-')}"

    def read(self, value: Any) -> Any:
        """The value in the field's own type; one text, or any row of them, for several. Raises UsageError."""
        if self.several:
            return tuple(self._read_one(each) for each in self._parts(value))
        return self._read_one(value)

    def _parts(self, value: Any) -> list[Any]:
        given = list(value) if isinstance(value, list | tuple) else [value]
        if self.option.separator is None:
            return given
        return [
            part for each in given for part in (each.split(self.option.separator) if isinstance(each, str) else [each])
        ]

    def _read_one(self, given: Any) -> Any:
        value = self._in_its_type(given)
        if value is None and self.default is None:
            return None
        if not self._fits(value):
            raise UsageError(f"{self.name} {given!r}: give {self._choices(value)}")
        if self.option.check:
            self.option.check(value)
        return value

    def _in_its_type(self, value: Any) -> Any:
        if self.option.aliases and isinstance(value, str):
            return self.option.aliases.get(value, value)
        if self.kind is Path and isinstance(value, str):
            return Path(value)
        if self.kind is str and (isinstance(value, os.PathLike) or type(value) is int):
            return str(value)
        if self.kind is float and type(value) is int:  # or 1 and 1.0 would be two settings, and all be done again
            return float(value)
        return value

    def _fits(self, value: Any) -> bool:
        if get_origin(self.kind) is Literal:
            return value in get_args(self.kind)
        if isinstance(value, bool) and self.kind is not bool:
            return False
        if not isinstance(value, int | float if self.kind is float else self.kind):
            return False
        least, most = self.option.least, self.option.most
        return (least is None or value >= least) and (most is None or value <= most)

    def _choices(self, value: Any) -> str:
        if get_origin(self.kind) is Literal:
            return one_of(value, get_args(self.kind))
        ends = [f"from {self.option.least:g}"] if self.option.least is not None else []
        ends += [f"to {self.option.most:g}"] if self.option.most is not None else []
        kinds = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
        return " ".join([kinds[self.kind], *ends])


def option_fields(options: type[OptionsClass]) -> tuple[OptionField, ...]:
    """Those of an options class in their order: its own, then what it has in common with others."""
    kind: Hashable = options  # mypy takes no class with fields for hashable by itself
    return _fields_of(kind)


@cache  # a server reads its callers' options a hundred times a second
def _fields_of(options: Any) -> tuple[OptionField, ...]:
    own = options.__annotations__
    return tuple(_option_field(each) for each in sorted(fields(options), key=lambda field: field.name not in own))


def _option_field(field: "Field[Any]") -> OptionField:
    annotated: Any = field.type
    hint, option = get_args(annotated)
    assert isinstance(option, Option)
    assert field.default is not MISSING
    several = get_origin(hint) is tuple
    kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
    optional = get_origin(hint) in (Union, types.UnionType)
    return OptionField(field.name, hint, kinds[0] if optional or several else hint, field.default, option, several)


def check_names(options: type[OptionsClass], given: Mapping[str, object]) -> None:
    """Raises UsageError for a keyword that is no option, with the nearest."""
    names = [each.field for each in option_fields(options)]
    for name in given:
        if name not in names:
            raise UsageError(f"no option {name!r}; {meant_or_all(name, names)}")
