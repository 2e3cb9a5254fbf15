"""The settings and presets of a recipe as a person reads them: names, defaults, and what each is for."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from img2img.recipes import RECIPES

if TYPE_CHECKING:
    from img2img.recipes.recipe import Recipe


def setting_list(recipe: type[Recipe]) -> Iterator[str]:
    """A line `name=default` for each setting, as `--set` takes it, and below it what the Config says of it."""
    for name, default, text in settings_of(recipe):
        yield f"{name}={default}"
        yield from textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="    ")


def settings_of(recipe: type[Recipe]) -> Iterator[tuple[str, str, str]]:
    """Name, default as `--set` takes it, and what the Config says of it, of each setting; "" where it says nothing."""
    texts = _texts(recipe.Config)
    for field in fields(recipe.Config):
        yield field.name, _as_given(field.default), texts.get(field.name, "")


def setting_names(recipe: str) -> list[str]:
    """The names alone, read from the sources: importing a recipe imports torch, and a slip should not wait for that."""
    return list(dict.fromkeys(_field_names(f"{RECIPES[recipe].name}.Config")))


def _field_names(config: str) -> Iterator[str]:
    """Of a class by its name: those of the classes that it is made of, then its own; a name may come again."""
    definition = _classes()[config]
    for base in reversed(definition.bases):
        yield from _field_names(ast.unparse(base))
    for each in definition.body:
        if isinstance(each, ast.AnnAssign) and "ClassVar" not in ast.unparse(each.annotation):
            yield ast.unparse(each.target)


@cache
def _classes() -> dict[str, ast.ClassDef]:
    """All in this folder, by their names, of which none stands twice; Recipe.Config is a recipe's own."""
    found = {}
    for file in Path(__file__).parent.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
                inner = (each for each in node.body if isinstance(each, ast.ClassDef))
                found |= {f"{node.name}.{each.name}": each for each in inner}
    return found


def preset_list(recipe: type[Recipe]) -> Iterator[str]:
    """For each preset the name, as `--preset` takes it, and the settings that it changes; nothing without presets."""
    for name, settings in recipe.presets.items():
        yield f"--preset {name}"
        changes = "  ".join(f"{setting}={_as_given(value)}" for setting, value in settings.items())
        yield from textwrap.wrap(changes, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _as_given(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _texts(config: type) -> dict[str, str]:
    """The string below each field; of several classes that have one, the most derived's."""
    found: dict[str, str] = {}
    for owner in reversed(config.__mro__[:-1]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(definition, ast.ClassDef)
        for field, below in zip(definition.body, definition.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and (text := _string(below)):
                found[field.target.id] = " ".join(text.split())
    return found


def _string(node: ast.stmt) -> str:
    literal = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value
    return literal if isinstance(literal, str) else ""
