"""Commands and settings as pages of the reference: `python docs/reference/pages.py` writes them anew."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from img2img.cli.app import app
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.setting_list import preset_list, settings_of

HERE = Path(__file__).resolve().parent
_NOTE = "Made by `python docs/reference/pages.py`: change the program, not this page."
_EVERYWHERE = ("--help", "--install-completion", "--show-completion")


def commands_page() -> str:
    """Each command with its arguments and options, as the command line itself knows them."""
    parts = [
        "# Commands",
        _NOTE,
        "Every command takes `--help`. `img2img --install-completion` teaches the shell to complete them.",
    ]
    return "\n\n".join([*parts, *_sections(get_command(app), "img2img")]) + "\n"


def settings_page() -> str:
    """What `--set` and `--preset` can change, a section for each recipe."""
    parts = [
        "# Settings",
        _NOTE,
        "Give them as `--set NAME=VALUE`, as often as you like, or in a file: `--config FILE`, with lines "
        "`NAME = VALUE` (TOML). `img2img train RECIPE --list-settings` prints the same.",
    ]
    for name, entry in RECIPES.items():
        recipe = recipe_class(name)
        rows = [f"| `{setting}` | `{default}` | {_escaped(text)} |" for setting, default, text in settings_of(recipe)]
        parts += [f"## {name}", entry.summary, "\n".join(["| setting | default | what |", "|---|---|---|", *rows])]
        presets = "\n".join(preset_list(recipe))
        parts += ["```text\n" + presets + "\n```"] if presets else []
    return "\n\n".join(parts) + "\n"


def _sections(command: Any, name: str) -> Iterator[str]:
    children = {child: command.commands[child] for child in getattr(command, "commands", {})}
    children = {child: each for child, each in children.items() if not each.hidden}
    shared = _shared(list(children.values()))
    own = [row for row in _rows(command) if row not in shared]
    if name != "img2img":
        yield f"## {name}" if name.count(" ") == 1 else f"### {name}"
        yield from _help(command, name)
    yield from _table(own)
    if shared:
        yield f"Each `{name}` takes:"
        yield from _table(shared)
    for child, each in children.items():
        yield from _section_of_child(each, f"{name} {child}", shared)


def _section_of_child(command: Any, name: str, shared: list[tuple[str, str]]) -> Iterator[str]:
    if hasattr(command, "commands"):
        yield from _sections(command, name)
        return
    yield f"## {name}" if name.count(" ") == 1 else f"### {name}"
    yield from _help(command, name)
    yield from _table([row for row in _rows(command) if row not in shared])


def _help(command: Any, name: str) -> Iterator[str]:
    """Its usage, then its paragraphs; one that is laid out by hand (after \\b, or indented) stays so."""
    yield f"```text\n{name} {' '.join(_usage(command))}\n```"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.strip() != "\b"]
        laid_out = len(lines) > 1 and lines[1].startswith("  ")
        yield "```text\n" + "\n".join(lines) + "\n```" if laid_out else _escaped(_text("\n".join(lines)))


def _usage(command: Any) -> Iterator[str]:
    if any(param.param_type_name == "option" for param in _params(command)):
        yield "[OPTIONS]"
    for param in _params(command):
        if param.param_type_name == "argument":
            word = param.make_metavar(_context(command))
            yield word if param.required else f"[{word.strip('[]')}]"
    if hasattr(command, "commands"):
        yield "COMMAND ..."


def _shared(commands: list[Any]) -> list[tuple[str, str]]:
    """Rows that all of them have, if they are so many that it is worth a table."""
    if len(commands) < 5:
        return []
    rows = [list(_rows(command)) for command in commands]
    return [row for row in rows[0] if all(row in others for others in rows)]


def _rows(command: Any) -> Iterator[tuple[str, str]]:
    for param in _params(command):
        yield _name(param, command), _what(param)


def _params(command: Any) -> list[Any]:
    params = [param for param in command.params if not getattr(param, "hidden", False)]
    return [param for param in params if not set(param.opts) & set(_EVERYWHERE)]


def _name(param: Any, command: Any) -> str:
    metavar = param.make_metavar(_context(command))
    metavar = metavar[1:-1] if metavar.startswith("[") and metavar.endswith("]") else metavar  # choices
    if param.param_type_name == "argument":
        return f"`{metavar.strip('[]').removesuffix(']...').removesuffix('...')}`"
    names = " ".join([*param.opts, *param.secondary_opts])
    return f"`{names}`" if param.is_flag or param.count else f"`{names} {metavar}`".replace("|", "\\|")


def _what(param: Any) -> str:
    text = _text(param.help)
    default = param.default
    if callable(default) or param.required or default in (None, (), [], "", False) or "[default" in text:
        return text
    shown = getattr(default, "value", default)
    return f"{text} [default: {'yes' if shown is True else shown}]"


def _table(rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield "\n".join(["| option | what |", "|---|---|", *(f"| {name} | {_escaped(what)} |" for name, what in rows)])


def _context(command: Any) -> Any:
    return command.context_class(command)


def _text(text: str | None) -> str:
    return " ".join((text or "").split())


def _escaped(text: str) -> str:
    """As Markdown that shows what is written, also in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[")


PAGES = {HERE / "commands.md": commands_page, HERE / "settings.md": settings_page}


def main() -> None:
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
