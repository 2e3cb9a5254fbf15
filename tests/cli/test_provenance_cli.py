"""`img2img provenance`: what pictures say of how they were made, in words and as JSON."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from film_clips import greys, write_film
from PIL import Image
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.photo import Photo, write_photo
from img2img.photo.metadata.provenance import COMPOSITE, IPTC, RDF, SOURCE_TYPES, Provenance
from img2img.video.film_xmp import xmp_box

CHECKOUT = Path(__file__).resolve().parents[2]
SHA = "c0ffee" * 10 + "0123"
MADE = Provenance.of_ours(COMPOSITE, "colorizer", SHA, {"strength": 1.3, "size": 96})
SUFFIXES = [".jpg", ".png", ".tiff", ".webp", ".avif"]


def picture(path: Path, said: Provenance | None = None, xmp: bytes | None = None) -> Path:
    write_photo(Photo(np.full((8, 8, 3), 90, np.uint8), "RGB", xmp=xmp, provenance=said), path)
    return path


def theirs(source_type: str, more: str = "") -> bytes:
    space = f'xmlns:rdf="{RDF}" xmlns:Iptc4xmpExt="{IPTC}"'
    properties = f'Iptc4xmpExt:DigitalSourceType="{source_type}" {more}'
    return f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description {space} {properties}/></rdf:RDF>'.encode()


def printed(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["provenance", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_result_is_told_in_plain_words(tmp_path: Path, suffix: str) -> None:
    path = picture(tmp_path / f"a{suffix}", MADE)
    assert printed(path).splitlines() == [
        f"{path}: a picture with parts that a trained model made (IPTC: compositeWithTrainedAlgorithmicMedia)",
        "  model      colorizer",
        f"  sha256     {SHA}",
        "  options    strength 1.3, size 96",
        f"  made with  img2img {MADE.version}",
    ]


def test_gif_and_heic_are_read(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    grey = Image.new("RGB", (64, 64))
    pillow_heif.from_pillow(grey).save(tmp_path / "a.heic", xmp=MADE.packet)
    from img2img.photo.formats import with_gif_xmp

    grey.save(tmp_path / "a.gif")
    (tmp_path / "a.gif").write_bytes(with_gif_xmp((tmp_path / "a.gif").read_bytes(), MADE.packet))
    for name in ("a.heic", "a.gif"):
        assert "  model      colorizer\n" in printed(tmp_path / name)


def test_films_are_read_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(struct.pack(">I", 8) + b"ftyp" + xmp_box(MADE.packet))
    assert "  model      colorizer\n" in printed(tmp_path / "a.mp4")
    result = CliRunner().invoke(app, ["provenance", str(tmp_path / "b.mkv")])
    assert result.exit_code == 1
    assert result.stderr == f"Error: {tmp_path / 'b.mkv'}: no such file or folder; check the name\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp4", b"hello, no film at all"),
        ("a.avi", b"hello, no film at all"),
        ("a.mkv", bytes.fromhex("1a45dfa3") + b"damaged"),
        ("a.mov", struct.pack(">I", 8) + b"ftyp"),
        ("a.jpg", b"hello, no photo at all"),
    ],
)
def test_what_is_no_film_or_photo_is_a_failure(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(app, ["provenance", str(tmp_path / name)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {tmp_path / name}: ")


def test_a_picture_that_says_nothing_is_no_failure(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mkv", greys(2))
    assert printed(film) == f"{film}: says nothing of how it was made\n"
    plain, bmp = picture(tmp_path / "a.jpg"), picture(tmp_path / "b.bmp")
    assert printed(plain, bmp) == f"{plain}: says nothing of how it was made\n{bmp}: says nothing of how it was made\n"
    first, second = json.loads(printed(plain, bmp, "--json"))
    assert first == dict.fromkeys(("digital_source_type", "model", "sha256", "options", "version", "system")) | {
        "file": str(plain)
    }
    assert second["file"] == str(bmp)


def test_what_other_programs_said_is_told_as_theirs(tmp_path: Path) -> None:
    scan = picture(tmp_path / "scan.jpg", xmp=theirs(SOURCE_TYPES + "negativeFilm"))
    assert printed(scan) == f"{scan}: scanned from a negative (IPTC: negativeFilm), in another program's words\n"
    more = 'Iptc4xmpExt:AISystemUsed="Painter" Iptc4xmpExt:AISystemVersionUsed="3"'
    drawn = picture(tmp_path / "drawn.jpg", xmp=theirs(SOURCE_TYPES + "trainedAlgorithmicMedia", more))
    assert printed(drawn).splitlines() == [
        f"{drawn}: made by a trained model (IPTC: trainedAlgorithmicMedia), in another program's words",
        "  made with  Painter 3",
    ]
    odd = picture(tmp_path / "odd.jpg", xmp=theirs("a photo"))
    assert printed(odd) == f"{odd}: its digital source type is a photo, in another program's words\n"
    term = picture(tmp_path / "term.jpg", xmp=theirs(SOURCE_TYPES + "ofTomorrow"))
    assert "its digital source type is http://cv.iptc.org/newscodes/digitalsourcetype/ofTomorrow" in printed(term)


def test_json_has_every_word(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", MADE)
    assert json.loads(printed("--json", path)) == [
        {
            "file": str(path),
            "digital_source_type": COMPOSITE,
            "model": "colorizer",
            "sha256": SHA,
            "options": {"strength": "1.3", "size": "96"},
            "version": MADE.version,
            "system": "img2img colorizer",
        }
    ]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_told(tmp_path: Path) -> None:
    good, damaged = picture(tmp_path / "a.jpg", MADE), picture(tmp_path / "d.webp", xmp=b"<rdf:RDF")
    (tmp_path / "b.txt").write_text("no photo")
    files = [tmp_path / "none.jpg", tmp_path / "b.txt", tmp_path, damaged, good]
    result = CliRunner().invoke(app, ["provenance", *map(str, files)])
    assert result.exit_code == 1
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [["Error", str(path)] for path in files[:4]]
    assert result.stdout.startswith(f"{good}: a picture")
    records = json.loads(CliRunner().invoke(app, ["provenance", "--json", *map(str, files)]).stdout)
    assert ["error" in each for each in records] == [True] * 4 + [False]


def test_what_a_terminal_would_obey_is_spelled_out(tmp_path: Path) -> None:
    xmp = theirs("red&#9;green&#10;\x7f\u202eblue")
    assert "is red\\tgreen\\n\\x7f\\u202eblue, in" in printed(picture(tmp_path / "a.jpg", xmp=xmp))


def test_command_brings_no_training_half_and_nothing_that_runs_models(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", MADE)
    program = (
        "import sys\n"
        "from img2img.cli.app import main\n"
        f"sys.argv = ['img2img', 'provenance', {str(path)!r}]\n"
        "try: main()\n"
        "finally: print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert not {"torch", "onnxruntime", "rich"} & set(done.stdout.splitlines()[-1].split())


@pytest.mark.skipif(not shutil.which("exiftool"), reason="no exiftool here: apt-get install libimage-exiftool-perl")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_exiftool_reads_the_same(tmp_path: Path, suffix: str) -> None:
    path = picture(tmp_path / f"a{suffix}", MADE)
    done = subprocess.run(["exiftool", "-j", "-G1", "-XMP:all", str(path)], capture_output=True, text=True, check=True)
    (tags,) = json.loads(done.stdout)
    assert tags["XMP-iptcExt:DigitalSourceType"] == COMPOSITE
    assert (tags["XMP-img2img:Model"], tags["XMP-img2img:ModelSha256"]) == ("colorizer", SHA)
    assert str(tags["XMP-img2img:OptionsStrength"]) == "1.3"


@pytest.mark.skipif(not shutil.which("exiftool"), reason="no exiftool here: apt-get install libimage-exiftool-perl")
def test_what_exiftool_wrote_anew_is_read(tmp_path: Path) -> None:
    """It writes the whole packet in a form of its own."""
    path = picture(tmp_path / "a.jpg", MADE)
    before = json.loads(printed(path, "--json"))
    words = ["exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=A title", str(path)]
    subprocess.run(words, capture_output=True, check=True)
    assert json.loads(printed(path, "--json")) == before
