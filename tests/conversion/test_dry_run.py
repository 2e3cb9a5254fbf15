"""`--dry-run`: it says what the command then does, and leaves everything as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import DrawPhoto
from typer.testing import CliRunner

from img2img.cli.app import app


@pytest.fixture
def album(tmp_path: Path, draw_photo: DrawPhoto) -> Path:
    for number in range(3):
        draw_photo(tmp_path / f"album/{number}.png")
    (tmp_path / "album/letter.txt").write_text("dear")
    return tmp_path / "album"


def run(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["colorize", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.stdout


def state(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    paths = [folder, *folder.rglob("*")]
    return {str(each): (each.stat().st_mtime_ns, each.read_bytes() if each.is_file() else None) for each in paths}


def test_nothing_is_written_before_the_first_run(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    before = state(tmp_path)
    told = run(album, "-o", tmp_path / "out", "--model", tiny_model, "--dry-run").splitlines()
    assert state(tmp_path) == before
    assert told[0] == "3 to convert, 0 would fail, 0 skipped; 1 file is not a photo (1 .txt)"
    assert told[1].startswith("about 0 s, about ")
    assert told[1].endswith("free, estimated from 3 of them")
    assert told[2:] == ["nothing was written"]


def test_what_is_done_and_what_is_somebodys_is_told(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out"
    words = album, "-o", out, "--model", tiny_model
    run(*words)
    (out / "1.png").write_bytes(b"edited since")
    (out / "2.png").unlink()
    (album / "3.png").write_bytes((album / "0.png").read_bytes())
    (out / "3.png").write_bytes(b"somebody's")
    before = state(tmp_path)
    told = run(*words, "--dry-run").splitlines()
    assert (
        told[0]
        == "1 to convert, 0 would fail, 3 skipped (1 already there, 2 up to date); 1 file is not a photo (1 .txt)"
    )
    over = run(*words, "--dry-run", "--overwrite").splitlines()
    assert over[0].startswith("4 to convert, 0 would fail, 0 skipped")
    assert over[1:4] == [
        "2 files would be replaced that are not as img2img made them:",
        f"  {out / '1.png'}: changed since it was made",
        f"  {out / '3.png'}: already there",
    ]
    assert state(tmp_path) == before
    assert "1 coloured" in run(*words)


def test_space_is_that_of_the_results(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    words = album, "-o", tmp_path / "out", "--model", tiny_model
    told = run(*words, "--dry-run").splitlines()[1]
    run(*words)
    size = sum(each.stat().st_size for each in (tmp_path / "out").glob("*.png"))
    assert (
        f"about {size / 1000:.1f} KB of" in told
        or f"about {size} bytes of" in told
        or f"about {size / 1000:.0f} KB of" in told
    )


def test_photos_in_colour_and_a_zip(album: Path, tmp_path: Path, tiny_model: Path, draw_photo: DrawPhoto) -> None:
    draw_photo(album / "result.colorized.png")
    before = state(tmp_path)
    told = run(album, "-o", tmp_path / "out.zip", "--model", tiny_model, "--dry-run")
    assert "1 of these 4 would be left out (in colour, or made before) or fail" in told
    assert state(tmp_path) == before


def test_one_photo_is_told_by_name(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    photo = album / "0.png"
    assert run(photo, "--model", tiny_model, "--dry-run") == f"{photo} would become {album / '0.colorized.png'}\n"
    assert "already there" in run(photo, "-o", album / "1.png", "--model", tiny_model, "--dry-run")


def test_of_one_photo_it_tells_whose_file_would_go_and_what_cannot_be_read(
    album: Path, tmp_path: Path, tiny_model: Path
) -> None:
    photo, other = album / "0.png", album / "1.png"
    words = "--model", tiny_model, "--overwrite", "--dry-run"
    told = run(photo, "-o", other, *words)
    assert told == f"{photo} would become {other}, in place of a file that img2img did not make\n"
    run(photo, "--model", tiny_model)
    assert run(photo, *words) == f"{photo} would become {album / '0.colorized.png'}\n"
    (album / "bad.jpg").write_text("no photo")
    assert run(album / "bad.jpg", *words, code=1) == ""
    assert run(photo, *words, "--quiet") == ""
    run(photo, *words, "--journal", tmp_path / "journal", code=2)


def test_journal_that_cannot_be_used_is_named_as_the_command_names_it(
    album: Path, tmp_path: Path, tiny_model: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_text("no journal " * 100)
    for name, says in (("folder", "a folder, not a file"), ("garbage", "the journal cannot be used")):
        words = ["colorize", str(album), "-o", str(tmp_path / "out"), "--model", str(tiny_model)]
        words += ["--journal", str(tmp_path / name)]
        for more in ([], ["--dry-run"]):
            result = CliRunner().invoke(app, [*words, *more])
            assert result.exit_code == 1
            assert result.stderr.startswith(f"Error: {tmp_path / name}: ")
            assert says in result.stderr


def test_what_cannot_be_read_is_told_and_the_exit_code_says_so(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    told = run(album, tmp_path / "gone", "-o", tmp_path / "out", "--model", tiny_model, "--dry-run", code=1)
    assert told.startswith("3 to convert, 1 would fail")
    assert run("--watch", album, "-o", tmp_path / "out", "--dry-run", code=2) == ""


def test_a_killed_runs_leftovers_stay(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out"
    words = album, "-o", out, "--model", tiny_model
    run(*words)
    leftover = out / f".0.png.{os.urandom(6).hex()}.part"
    leftover.write_bytes(b"half")
    run(*words, "--dry-run", "--overwrite")
    assert leftover.exists()
