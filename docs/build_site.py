"""The documents as a static site, built strictly: `pip install ".[docs]" && python docs/build_site.py` writes `site/`.

Zensical wants all pages in one folder. So they are copied into one, and there a link to a file that is no page becomes
its text, and a formula becomes MathML, which browsers show without a script.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from latex2mathml.converter import convert as mathml

CHECKOUT = Path(__file__).resolve().parent.parent
BESIDE = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "checkpoints/README.md": "project/models.md",
    "datasets/README.md": "project/data.md",
}
"""Pages that do not lie in docs/, and where the site has them."""
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
_FORMULA = re.compile(r"(```.*?```|`[^`\n]+`)|\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
_MEDIA = (".md", ".ipynb", ".jpg", ".png", ".gif", ".webp")


def pages() -> dict[str, str]:
    """Each file of the site: where it lies in the checkout, and where in the site, both from their roots."""
    files = [path for path in (CHECKOUT / "docs").rglob("*") if path.suffix in _MEDIA]
    own = {path.relative_to(CHECKOUT).as_posix(): path.relative_to(CHECKOUT / "docs").as_posix() for path in files}
    return own | BESIDE


def with_links(text: str, source: str, places: dict[str, str]) -> str:
    """The page with its links as they are in the site; what the site does not have is named, and not linked."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        if "://" in target or target.startswith("#"):
            return found[0]
        path, hash_, anchor = target.partition("#")
        aim = os.path.normpath(Path(source).parent / path)
        if aim not in places:
            if not (CHECKOUT / aim).exists():
                raise SystemExit(f"{source}: {target}: no such file")
            return words
        relative = os.path.relpath(places[aim], Path(places[source]).parent)
        return f"{picture}[{words}]({Path(relative).as_posix()}{hash_}{anchor})"

    return _LINK.sub(link, text)


def with_formulas(text: str) -> str:
    """$ and $$ as MathML, outside code."""

    def formula(found: re.Match[str]) -> str:
        code, block, inline = found.groups()
        if code:
            return str(code)
        return str(mathml(block or inline, display="block" if block else "inline"))

    written = _FORMULA.sub(formula, text)
    return re.sub(r'\n(<math [^>]*display="inline")', r" \1", written)  # one that begins a line would be a block


def stage(folder: Path) -> None:
    """Write all pages and pictures into it."""
    places = pages()
    for source, place in places.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            text = with_links((CHECKOUT / source).read_text(encoding="utf-8"), source, places)
            target.write_text(with_formulas(text), encoding="utf-8")
        else:
            shutil.copy(CHECKOUT / source, target)


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        stage(Path(work) / "docs")
        shutil.copy(CHECKOUT / "docs" / "zensical.toml", work)
        program = Path(sys.executable).with_name("zensical")
        subprocess.run([program, "build", "--strict"], cwd=work, check=True)
        shutil.rmtree(CHECKOUT / "site", ignore_errors=True)
        shutil.move(Path(work) / "site", CHECKOUT / "site")


if __name__ == "__main__":
    main()
