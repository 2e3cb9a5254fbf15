"""docs/reference/python.md names every public name, its blocks run, and what it says of Pillow's `save` holds."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import img2img
from img2img.photo import Photo, read_photo, write_photo

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
SAMPLE = CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg"


@pytest.mark.parametrize("name", img2img.__all__)
def test_document_names_every_public_name(name: str) -> None:
    assert re.search(rf"`{name}\b|, {name}\b.*`", DOCUMENT)


def test_document_imports_nothing_but_public_names() -> None:
    imported = {
        name
        for names in re.findall(r"^from img2img import (.+)$", DOCUMENT, re.MULTILINE)
        for name in names.split(", ")
    }
    assert imported <= set(img2img.__all__)
    assert not re.search(r"(from|import) img2img\.", DOCUMENT)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a reader closes what he opens when he likes
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {DOCUMENT[: DOCUMENT.index(block)].count(chr(10))}")
def test_block_runs(block: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "album").mkdir()
    for name in ("photo.jpg", "other.jpg", "album/one.jpg", "album/two.jpg"):
        with Image.open(SAMPLE) as photo:
            photo.resize((90, 120)).save(tmp_path / name)
    with contextlib.chdir(tmp_path):
        exec(compile(block, "block.py", "exec"), {"__name__": "__main__"})
    stdout, stderr = capsys.readouterr()
    assert stderr == ""
    for said in re.findall(r"print\(error\) +# (?:\.\.\. )?(.+)", block):
        assert said in stdout


def described_photo(depth: type[np.uint8] | type[np.uint16]) -> Photo:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010E] = "a description"
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        b"</x:xmpmeta>"
    )
    return Photo(np.zeros((8, 8, 3), depth), "RGB", None, icc, exif.tobytes(), xmp, (300, 300))


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_table_says_what_is_kept(suffix: str, tmp_path: Path) -> None:
    deep = suffix in ("png", "tiff")
    photo = described_photo(np.uint16 if deep else np.uint8)
    target = tmp_path / f"x.{suffix}"
    for call in (f'image.save("x.{suffix}")', f'write_photo(photo, "x.{suffix}")'):
        if call.startswith("image"):
            photo.to_image().save(target)
        else:
            write_photo(photo, target)
        kept = read_photo(io.BytesIO(target.read_bytes()))
        found = [kept.icc is not None, kept.exif is not None, kept.xmp is not None, kept.dpi is not None]
        row = ["yes" if each else "no" for each in found]
        row.append(("yes" if kept.pixels.dtype == np.uint16 else "no") if deep else "-")
        assert f"| `{call}` | {' | '.join(row)} |" in DOCUMENT


def test_first_block_leaves_its_result(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "photo.jpg")
    subprocess.run([sys.executable, "-c", BLOCKS[0]], cwd=tmp_path, env=ENVIRONMENT, check=True)
    with Image.open(tmp_path / "coloured.png") as coloured, Image.open(SAMPLE) as photo:
        assert (coloured.size, coloured.mode) == (photo.size, "RGB")
