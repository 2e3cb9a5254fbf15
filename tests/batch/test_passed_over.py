"""batch/sources/passed_over.py: what is no photo is counted, thumbnails are left out, wherever the photos lie."""

import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import DrawPhoto, MakeFiles
from typer.testing import CliRunner

from img2img.batch.job import Found
from img2img.batch.sources.listing import list_files, list_photos
from img2img.batch.sources.passed_over import PassedOver
from img2img.cli.app import app
from img2img.data.listing import list_images
from img2img.photo.other_files import is_left_out

NAMES = (
    "a.jpg", "scan.jp2", "sub/b.jp2", "sub/old.ppm", "notes.txt", "README", "clip.MP4", "sub/clip.mov",
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "sub/@eaDir/b.jpg", ".thumbnails/normal/c.png", "__MACOSX/._a.jpg",
    "__MACOSX/d.jpg", "$RECYCLE.BIN/e.jpg", "@Recycle/f.jpg", ".Trash-1000/files/g.jpg", ".git/h.jpg", "._a.jpg",
    ".hidden.txt",
)  # fmt: skip
WORDS = (
    "5 files are not photos (2 .jp2, 1 .ppm, 1 .txt, 1 other), 2 films, "
    "7 photos in $RECYCLE.BIN, .Trash-1000, .thumbnails, @Recycle, @eaDir, __MACOSX left out"
)


@pytest.fixture
def album(files: MakeFiles) -> None:
    files(*(f"in/{name}" for name in NAMES))
    with zipfile.ZipFile("album.zip", "w") as packed, tarfile.open("album.tar", "w") as tar:
        for name in NAMES:
            packed.write(f"in/{name}", name)
            tar.add(f"in/{name}", name)
    Path("list.txt").write_text("in\n")


@pytest.mark.parametrize("where", ["in", "album.zip", "album.tar", "memory://passed/over", "list.txt", "*n"])
def test_what_is_beside_the_photos_is_counted(album: None, where: str) -> None:
    passed_over = PassedOver()
    if where.startswith("memory"):
        upath = pytest.importorskip("upath")
        for name in NAMES:
            (upath.UPath(where) / name).write_bytes(b"x")
    if where == "list.txt":
        found = list(list_files(where, passed_over=passed_over))
    else:
        found = list(list_photos([where], passed_over=passed_over))
    assert [each.source.name for each in found if isinstance(each, Found)] == ["a.jpg"]
    assert len(found) == 1
    assert passed_over.words() == WORDS


def test_a_pattern_counts_what_it_matches(album: None) -> None:
    passed_over = PassedOver()
    assert len(list(list_photos(["in/*.jp*"], passed_over=passed_over))) == 1
    assert passed_over.words() == "1 file is not a photo (1 .jp2)"


def test_a_folder_of_thumbnails_that_is_named_is_meant(files: MakeFiles) -> None:
    files("in/@eaDir/a.jpg")
    assert [each.source.name for each in list_photos(["in/@eaDir"])] == ["a.jpg"]


def test_training_takes_no_thumbnails(album: None) -> None:
    listing = list_images([Path("in")])
    assert {Path(image.name).name for image in listing.images} == {"a.jpg", "h.jpg"}
    assert str(Path("in/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg")) in listing.others
    assert len(list_images([Path("album.tar")]).images) == 2


@pytest.mark.parametrize(
    ("name", "left_out"),
    [("@EADIR", True), (".Trash-501", True), ("Thumbs", True), ("thumbs up", False), ("trash cans", False)],
)
def test_names_of_such_folders(name: str, left_out: bool) -> None:
    assert is_left_out(name) is left_out


def test_the_closing_line_says_it(files: MakeFiles, draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("in/a.jpg"))
    files("in/clip.mp4", "in/b.mov", "in/c.avi", "in/x.jp2", "in/@eaDir/a.jpg")
    for start in ("1 coloured into out, 0 failed, 0 skipped; ", "0 coloured, 0 failed, 1 skipped (1 up to date); "):
        ended = CliRunner().invoke(app, ["colorize", "in", "-o", "out", "--model", str(tiny_model)])
        assert ended.stdout == f"{start}1 file is not a photo (1 .jp2), 3 films, 1 photo in @eaDir left out\n"
