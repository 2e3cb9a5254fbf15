"""The reference's pages of commands and settings are what the program says of itself."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import CHECKOUT

PAGES = CHECKOUT / "docs" / "reference" / "pages.py"


def pages() -> dict[Path, Callable[[], str]]:
    spec = importlib.util.spec_from_file_location("reference_pages", PAGES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[Path, Callable[[], str]] = module.PAGES
    return made


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_the_page_is_up_to_date(name: str) -> None:
    path = PAGES.with_name(name)
    written = path.read_text(encoding="utf-8")
    assert pages()[path]() == written, "write it anew: python docs/reference/pages.py"


def test_the_pages_have_what_a_person_looks_up() -> None:
    commands, settings = (PAGES.with_name(name).read_text(encoding="utf-8") for name in ("commands.md", "settings.md"))
    for heading in ("## img2img colorize", "## img2img serve", "### img2img train cyclegan", "### img2img models add"):
        assert f"\n{heading}\n" in commands
    assert "| `--strength NUMBER` |" in commands
    assert "| `lambda_cycle` | `" in settings
    assert "--preset quick" in settings
