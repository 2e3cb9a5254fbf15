"""Settings given as text, `--set name=value` or a TOML file, onto a recipe's Config, checked by its type hints.

The file may also name the data, in tables of their own.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from img2img.atomic_file import reason_for
from img2img.errors import SettingError
from img2img.recipes import check_preset, check_setting, split_assignment
from img2img.recipes.recipe import Recipe

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def make_config(
    recipe: type[Recipe],
    assignments: Iterable[str] = (),
    file: Path | None = None,
    preset: str | None = None,
    **given: Any,
) -> Recipe.Config:
    """The recipe's Config: `name=value` texts over the values given, over the file's, the preset's, the defaults.

    Raises SettingError: with all names when one is unknown, with the type or range when a value does not fit.
    """
    values = _of_preset(recipe, preset) | _of_file(recipe, file) | given | _of_assignments(recipe, assignments)
    return recipe.Config(**values)


def chosen_settings(recipe: type[Recipe], assignments: Iterable[str], file: Path | None) -> dict[str, Any]:
    """Only what the file and the texts say, by name; raises SettingError as `make_config`."""
    return _of_file(recipe, file) | _of_assignments(recipe, assignments)


def written_data(recipe: type[Recipe], file: Path | None) -> dict[str, list[str]]:
    """What the file's tables of data name, by table, as `--data` has it: NAME=WEIGHT.

    The table is [data], or one for each domain where the recipe has several; [ab] alone will do for pairs. Raises
    SettingError when one is not made of lines "PATH" = NUMBER.
    """
    written = _read(recipe, file)
    return {table: _items(f"{file}: {table}", written[table]) for table in _tables(recipe) if table in written}


def _tables(recipe: type[Recipe]) -> Sequence[str]:
    if len(recipe.domains) == 1:
        return ("data",)
    return (*recipe.domains, "ab") if recipe.paired else recipe.domains


def _items(table: str, written: Any) -> list[str]:
    if not (isinstance(written, dict) and written):
        raise SettingError(f'{table} = {written!r}: write it as a table, with lines "PATH" = WEIGHT')
    for name, weight in written.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise SettingError(f'{table}, {name} = {weight!r}: write "PATH" = NUMBER, the path in quotes')
    return [f"{name}={weight}" for name, weight in written.items()]


def _of_preset(recipe: type[Recipe], name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    check_preset(recipe.name, recipe.presets, name)
    return dict(recipe.presets[name])


def _of_assignments(recipe: type[Recipe], assignments: Iterable[str]) -> dict[str, Any]:
    values = {}
    for assignment in assignments:
        name, text = split_assignment(assignment)
        values[name] = _setting(recipe, name, text, f"--set {assignment}")
    return values


def _of_file(recipe: type[Recipe], file: Path | None) -> dict[str, Any]:
    return {
        name: _setting(recipe, name, _as_text(value), f"{file}: {name} = {value!r}")
        for name, value in _read(recipe, file).items()
        if name not in _tables(recipe)
    }


def _read(recipe: type[Recipe], file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # tomllib's and UTF-8's own errors are ValueErrors
        reason = reason_for(error, "read") if isinstance(error, OSError) else f"not TOML: {error}"
        raise SettingError(f"--config {file}: {reason}") from error
    if "data" in written and "data" not in _tables(recipe):
        tables = " and ".join(f"[{table}]" for table in recipe.domains)
        both = ", or [ab] for pictures side by side" if recipe.paired else ""
        raise SettingError(f"{file}: [data]: {recipe.name} learns from two sets; give each a table, {tables}{both}")
    return written


def _as_text(value: Any) -> str:
    """A value of TOML as `--set` would have it."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _setting(recipe: type[Recipe], name: str, text: str, source: str) -> Any:
    names = [field.name for field in fields(recipe.Config)]
    check_setting(recipe.name, names, name, source)
    kind = get_type_hints(recipe.Config)[name]
    try:
        return _parse(text, kind)
    except (KeyError, ValueError) as error:
        kind_name = getattr(kind, "__name__", str(kind)) if get_origin(kind) is None else str(kind)
        raise SettingError(f"{source}: {name} takes {kind_name}") from error


def _parse(text: str, kind: Any) -> Any:
    if kind is bool:
        return {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}[text.lower()]
    if kind in (int, float, str):
        return kind(text)
    parts = [part.strip() for part in text.strip("()[]").split(",") if part.strip()]  # a tuple is what is left
    kinds = get_args(kind)
    kinds = kinds[:1] * len(parts) if kinds[1:] == (...,) else kinds
    return tuple(_parse(part, one) for part, one in zip(parts, kinds, strict=True))
