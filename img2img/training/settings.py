"""Settings given as text: `--set name=value` onto a recipe's Config, checked by its type hints."""

from ast import literal_eval
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

from img2img.errors import SettingError
from img2img.recipes.recipe import Recipe

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def make_config(recipe: type[Recipe], assignments: Iterable[str] = (), **given: Any) -> Recipe.Config:
    """The recipe's Config with `name=value` texts applied over the values given and the defaults.

    Raises SettingError: with all names when one is unknown, with the type or range when a value does not fit.
    """
    hints = get_type_hints(recipe.Config)
    names = [field.name for field in fields(recipe.Config)]
    values = dict(given)
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SettingError(f"--set {assignment}: write it as name=value")
        if name not in names:
            raise SettingError(f"{recipe.name} has no setting {name!r}; it has: {', '.join(names)}")
        values[name] = _parse(name, text, hints[name])
    return recipe.Config(**values)


def _parse(name: str, text: str, kind: Any) -> Any:
    try:
        if kind is bool:
            return {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}[text.lower()]
        if kind in (int, float, str):
            return kind(text)
        if get_origin(kind) is tuple:
            parts = text.strip("()[]").split(",")
            return tuple(_parse(name, part.strip(), one) for part, one in zip(parts, get_args(kind), strict=True))
        return literal_eval(text)
    except (KeyError, ValueError, SyntaxError) as error:
        kind_name = getattr(kind, "__name__", str(kind)) if get_origin(kind) is None else str(kind)
        raise SettingError(f"--set {name}={text}: {name} takes {kind_name}") from error
