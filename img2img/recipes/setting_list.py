"""The settings and presets of a recipe as a person reads them: names, defaults, and what each is for."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from itertools import pairwise
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
    texts = _texts(recipe.name)
    for field in fields(recipe.Config):
        yield field.name, _as_given(field.default), texts[field.name]


def setting_names(recipe: str) -> list[str]:
    """The names alone, without an import of the recipe, which imports torch: a slip should not wait for that."""
    return list(_texts(recipe))


def _texts(recipe: str) -> dict[str, str]:
    """Each setting and the string below it, from the sources; of several classes that have one, the most derived's."""
    found: dict[str, str] = {}
    for name, text in _fields(f"{RECIPES[recipe].name}.Config"):
        found[name] = text or found.get(name, "")
    return found


def _fields(config: str) -> Iterator[tuple[str, str]]:
    """Of a class by its name: those of the classes that it is made of, then its own; a name may come again."""
    definition = _classes()[config]
    for base in reversed(definition.bases):
        yield from _fields(ast.unparse(base))
    for field, below in pairwise([*definition.body, ast.Pass()]):
        if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.unparse(field.annotation):
            yield ast.unparse(field.target), _string(below)


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


def _string(node: ast.stmt) -> str:
    literal = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value
    return " ".join(literal.split()) if isinstance(literal, str) else ""
