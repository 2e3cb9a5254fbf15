"""The documents point at what is there."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), CHECKOUT / "benchmarks" / "README.md"]
GUIDE = (CHECKOUT / "docs" / "explanation" / "guide.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


def test_documents_install_from_the_checkout_and_name_no_registry() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert not re.search(r"(pip|pipx) install (-\S+ )*img2img", text), document
        assert "pypi.org" not in text, document


def test_guide_names_what_its_files_hold() -> None:
    rows = re.findall(r"^\| [^|]+ \| `(img2img/[^`]+)` \| (.+) \|$", GUIDE, re.MULTILINE)
    assert len(rows) >= 8
    for file, names in rows:
        path = CHECKOUT / file
        texts = "".join(each.read_text(encoding="utf-8") for each in ([path] if path.is_file() else path.glob("*.py")))
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b(def|class) {name}\b|^{name}\b", texts, re.MULTILINE), f"{file}: {name}"


def test_guide_shows_the_step_as_it_stands_in_the_recipe() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    recipe = (CHECKOUT / "img2img" / "recipes" / "gan.py").read_text(encoding="utf-8")
    assert "".join(f"        {line}\n" if line else "\n" for line in shown.strip().splitlines()) in recipe
