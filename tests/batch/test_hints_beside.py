"""Hints in files beside photos: whose they are, and what a batch does when they come, change and go."""

import os
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image
from typer.testing import CliRunner

from img2img import UnreadablePhoto, convert
from img2img.batch.job import STREAM, Found, Job
from img2img.batch.sources.hints_beside import hints_beside, with_hints_beside
from img2img.batch.sources.listing import list_photos
from img2img.batch.watch import rounds
from img2img.cli.app import app
from img2img.steering.hints import parse_hint
from img2img.steering.hints_file import json_of_hints


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steered_model: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(steered_model, "steered.onnx")


def write_hints(path: str, color: str = "#2040c0") -> Path:
    Path(path).write_text(json_of_hints([parse_hint(f"50%,50%={color}")]))
    return Path(path)


def test_hints_are_those_of_the_photos_stem_beside_it(draw_photo: DrawPhoto) -> None:
    hints = (parse_hint("50%,50%=#2040c0"),)
    photo = draw_photo(Path("album/a.b.png"))
    job = Job(photo, Path("out/a.b.png"))
    assert hints_beside(job) == ()
    write_hints("album/a.hints.json")
    assert hints_beside(job) == ()
    write_hints("album/a.b.hints.json")
    assert hints_beside(job) == hints
    assert hints_beside(replace(job, archive=Path("album"))) == ()
    write_hints("-.hints.json")
    assert hints_beside(replace(job, source=STREAM)) == ()


def test_damaged_hints_are_told_by_name(draw_photo: DrawPhoto) -> None:
    photo = draw_photo(Path("a.png"))
    Path("a.hints.json").write_text("a letter")
    with pytest.raises(UnreadablePhoto, match=r"^a\.hints\.json: "):
        hints_beside(Job(photo, Path("out.png")))


def test_size_and_time_are_those_of_both_files() -> None:
    found = Found(Path("a.jpg"), PurePath("a.jpg"), size=100, mtime=5)
    hints = write_hints("a.hints.json")
    size = hints.stat().st_size
    for mtime, newest in ((4, 5), (7, 7)):
        os.utime(hints, ns=(0, mtime))
        assert list(with_hints_beside([found])) == [replace(found, size=100 + size, mtime=newest)]
    archived, empty = replace(found, archive=Path("x.zip")), replace(found, size=0)
    assert list(with_hints_beside([archived, empty])) == [archived, empty]
    hints.unlink()
    assert list(with_hints_beside([found])) == [found]


def statuses(**options: str) -> dict[str, str]:
    outcomes = convert("album", "out", model="steered.onnx", **options)
    return {each.source.name: each.flags[0] if each.status == "skipped" else each.status for each in outcomes}


def blueness(path: str | Path) -> float:
    with Image.open(path) as image:
        return float(np.asarray(image.convert("RGB"))[..., 2].mean())


def test_new_changed_and_removed_hints_do_just_their_photo_again(draw_photo: DrawPhoto) -> None:
    for name in ("a.png", "b.png"):
        draw_photo(Path("album", name), size=(64, 64))
    assert statuses() == {"a.png": "done", "b.png": "done"}
    plain = Path("out/a.png").read_bytes()
    assert statuses(hints="auto") == {"a.png": "up to date", "b.png": "up to date"}
    hints = write_hints("album/a.hints.json", "#2040c0")
    assert statuses(hints="auto") == {"a.png": "done", "b.png": "up to date"}
    assert blueness("out/a.png") > blueness("out/b.png")
    assert statuses(hints="auto") == {"a.png": "up to date", "b.png": "up to date"}
    write_hints("album/a.hints.json", "#20c020")
    assert statuses(hints="auto") == {"a.png": "done", "b.png": "up to date"}
    hints.unlink()
    assert statuses(hints="auto") == {"a.png": "done", "b.png": "up to date"}
    assert Path("out/a.png").read_bytes() == plain


def test_hints_beside_a_photo_give_what_the_same_file_gives_by_name(draw_photo: DrawPhoto) -> None:
    photo = draw_photo(Path("photo.png"))
    hints = write_hints("photo.hints.json", "#2040c0")
    list(convert(photo, "auto.png", model="steered.onnx", hints="auto"))
    list(convert(photo, "named.png", model="steered.onnx", hints=hints))
    assert Path("auto.png").read_bytes() == Path("named.png").read_bytes()


def test_damaged_hints_cost_their_photo_and_are_told(draw_photo: DrawPhoto) -> None:
    for name in ("a.png", "b.png"):
        draw_photo(Path("album", name))
    Path("album/a.hints.json").write_text("a letter")
    outcomes = {each.source.name: each for each in convert("album", "out", model="steered.onnx", hints="auto")}
    assert {name: each.status for name, each in outcomes.items()} == {"a.png": "failed", "b.png": "done"}
    assert str(outcomes["a.png"].error).startswith("album/a.hints.json: ")
    assert "mistake" not in str(outcomes["a.png"].error)


def test_hints_of_a_folder_are_no_photos_that_were_passed_over(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("album/a.png"))
    write_hints("album/a.hints.json", "#2040c0")
    Path("album/other.json").write_text("{}")
    result = CliRunner().invoke(app, ["colorize", "album", "-o", "out", "--model", "steered.onnx"])
    assert "(1 .json)" in result.output


def test_a_look_waits_for_hints_that_are_being_written(draw_photo: DrawPhoto) -> None:
    photo = draw_photo(Path("album/a.png"))
    os.utime(photo, (time.time() - 3600,) * 2)
    look = partial(list_photos, ["album"], may_be_empty=True)
    looks = rounds(lambda: with_hints_beside(look()), threading.Event(), pause=0)
    assert len(list(next(looks))) == 1
    write_hints("album/a.hints.json")
    assert [len(list(next(looks))) for _ in range(3)] == [0, 1, 1]


def test_watching_does_a_photo_again_when_its_hints_come(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("album/a.png"))
    watching = convert("album", "out", model="steered.onnx", hints="auto", watch=True)
    assert isinstance(watching, Generator)
    with closing(watching) as outcomes:
        assert next(outcomes).status == "done"
        before = blueness("out/a.png")
        write_hints("album/a.hints.json")
        assert next(outcomes).status == "done"
    assert blueness("out/a.png") > before
