"""`--if-color`: photos in colour are noted, left out or copied; nothing is done twice, and nothing goes unsaid."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from film_clips import greys, write_film
from PIL import Image
from typer.testing import CliRunner

from img2img import Outcome, UsageError, convert
from img2img.batch.outcome import COLORED_BY_US, COPIED, IN_COLOR, UP_TO_DATE
from img2img.cli.app import app

COLOURS = np.kron(np.random.default_rng(0).integers(0, 255, (6, 6, 3)), np.ones((16, 16, 1))).astype(np.uint8)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """grey.png, colour.png, and a result of ours by its name, of a format that cannot say what it is."""
    folder = tmp_path / "album"
    folder.mkdir()
    Image.fromarray(COLOURS[..., 0]).save(folder / "grey.png")
    Image.fromarray(COLOURS).save(folder / "colour.png")
    Image.fromarray(COLOURS[..., 0]).save(folder / "grey.colorized.bmp")
    return folder


def done(inputs: Path, output: Path, model: Path, **options: object) -> dict[str, Outcome]:
    return {each.source.name: each for each in convert(inputs, output, model=model, **options)}


def statuses(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {name: (each.status, each.flags) for name, each in sorted(outcomes.items())}


def run(*words: str | Path) -> tuple[str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


SKIPPED = {"colour.png": ("skipped", (IN_COLOR,)), "grey.colorized.bmp": ("skipped", (COLORED_BY_US,))}


def test_a_folder_leaves_out_what_is_in_colour_and_does_not_read_it_again(
    album: Path, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = statuses(done(album, out, tiny_model))
    assert {name: each for name, each in first.items() if name != "grey.png"} == SKIPPED
    assert first["grey.png"][0] == "done"
    assert {each.name for each in out.iterdir()} == {"grey.png", ".img2img-journal.sqlite"}
    monkeypatch.setattr("img2img.batch.job_files.read_photo", None)
    assert statuses(done(album, out, tiny_model)) == {
        **SKIPPED,
        "grey.png": ("skipped", (UP_TO_DATE, *first["grey.png"][1])),
    }


def test_other_settings_do_not_read_them_again_and_redo_does(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out"
    done(album, out, tiny_model)
    again = statuses(done(album, out, tiny_model, strength=0.5))
    assert {name: each for name, each in again.items() if name != "grey.png"} == SKIPPED
    redone = done(album, out, tiny_model, strength=0.5, if_color="redo")
    assert {name: each.status for name, each in redone.items()} == {
        "grey.png": "skipped",
        "colour.png": "done",
        "grey.colorized.bmp": "done",
    }
    assert IN_COLOR in redone["colour.png"].flags
    left = done(album, out, tiny_model, strength=0.5, if_color="redo")
    assert {each.flags[0] for each in left.values()} == {UP_TO_DATE}


def test_copies_are_the_photos_bytes_and_give_way_to_redo(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out"
    copied = done(album, out, tiny_model, if_color="copy")
    assert copied["colour.png"].flags == (IN_COLOR, COPIED)
    assert (out / "colour.png").read_bytes() == (album / "colour.png").read_bytes()
    assert {each.flags[0] for each in done(album, out, tiny_model, if_color="copy").values()} == {UP_TO_DATE}
    assert done(album, out, tiny_model, if_color="redo")["colour.png"].status == "done"
    assert (out / "colour.png").read_bytes() != (album / "colour.png").read_bytes()
    assert done(album, out, tiny_model, if_color="copy")["colour.png"].flags == (IN_COLOR, COPIED)


def test_a_copy_in_another_format_has_the_same_pixels(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    done(album, tmp_path / "out", tiny_model, if_color="copy", format="tiff")
    with Image.open(tmp_path / "out/colour.tiff") as copy:
        assert (copy.format, np.asarray(copy).tolist()) == ("TIFF", COLOURS.tolist())


def test_an_archive_is_as_a_folder(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "album"), "zip", album))
    assert done(archive, tmp_path / "out", tiny_model, if_color="copy")["colour.png"].flags == (IN_COLOR, COPIED)
    assert (tmp_path / "out/colour.png").read_bytes() == (album / "colour.png").read_bytes()


def test_one_photo_is_coloured_anew_with_a_note(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    photo = album / "colour.png"
    words = "colorize", photo, "-o", tmp_path / "a.png", "--model", tiny_model
    assert run(*words)[1] == f"{photo}: in colour already; coloured again\n"
    assert run(*words, "--overwrite", "--if-color", "redo")[1] == ""
    assert run("colorize", album / "grey.png", "-o", tmp_path / "b.png", "--model", tiny_model)[1] == ""


def test_one_photo_can_be_skipped_or_copied(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    photo, target = album / "colour.png", tmp_path / "a.png"
    words = "colorize", photo, "-o", target, "--model", tiny_model, "--if-color"
    assert run(*words, "skip")[0] == f"{photo}: skipped, in colour already; --if-color redo colours it again\n"
    assert not target.exists()
    assert run(*words, "copy")[0] == f"{photo} -> {target} (in colour already, copied)\n"
    assert target.read_bytes() == photo.read_bytes()


def test_a_result_of_ours_is_known_by_what_it_says(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    result = tmp_path / "elsewhere.png"
    list(convert(album / "grey.png", result, model=tiny_model))
    assert (
        f"{COLORED_BY_US}; coloured again"
        in run("colorize", result, "-o", tmp_path / "b.png", "--model", tiny_model)[1]
    )


def test_closing_line_counts_and_advises(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    words = "colorize", album, "-o", tmp_path / "out", "--model", tiny_model
    stdout, stderr = run(*words)
    assert "2 skipped (1 coloured by img2img already, 1 in colour already)" in stdout
    assert "--if-color redo colours them again" in stderr
    assert f"0 coloured, 2 copied into {tmp_path / 'out'}, 0 failed" in run(*words, "--if-color", "copy")[0]


def test_a_film_in_colour_is_coloured_anew_with_a_note(tmp_path: Path, tiny_model: Path) -> None:
    Image.fromarray(COLOURS).save(
        tmp_path / "colour.gif", save_all=True, append_images=[Image.fromarray(COLOURS[::-1])], duration=40
    )
    film = write_film(tmp_path / "grey.mp4", greys(6))
    notes = run("colorize", tmp_path / "colour.gif", film, "-o", f"{tmp_path}/out/", "--model", tiny_model)[1]
    assert f"{tmp_path / 'colour.gif'}: in colour already; coloured again" in notes
    assert "grey.mp4" not in notes
    with pytest.raises(UsageError, match="--if-color is for photos"):
        list(convert(film, tmp_path / "b.mp4", model=tiny_model, if_color="skip"))


def test_results_keep_their_photos_times(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    for number, path in enumerate(sorted(album.iterdir())):
        os.utime(path, ns=(1_000_000_000 * (number + 5), 1_000_000_000 * (number + 1)))
    done(album, tmp_path / "out", tiny_model, keep_times=True, if_color="copy")
    for path in album.iterdir():
        kept, wanted = (tmp_path / "out" / path.name).stat(), path.stat()
        assert kept.st_mtime_ns == wanted.st_mtime_ns
    assert (tmp_path / "out/colour.png").stat().st_atime_ns == 5_000_000_000
    again = done(album, tmp_path / "out", tiny_model, keep_times=True, if_color="copy")
    assert {each.flags[0] for each in again.values()} == {UP_TO_DATE}


def test_a_cluster_for_one_photo_is_refused(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="--engine ray is for many photos"):
        list(convert(album / "grey.png", tmp_path / "a.png", model=tiny_model, engine="ray"))
