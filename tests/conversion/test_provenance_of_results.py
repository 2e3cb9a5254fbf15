"""Results say how they were made, whichever way they are made; without it they are the bytes that they were."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from png_bytes import chunks_in
from tiny_model import tiny_model, write_tiny_model
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator
from typer.testing import CliRunner

from img2img import convert
from img2img.batch.outcome import Outcome
from img2img.cli.app import app
from img2img.model_file import read_card
from img2img.photo import read_xmp
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import COMPOSITE, GENERATED, Provenance

GREY = (np.arange(40 * 32).reshape(32, 40) % 251).astype(np.uint8)
SECRET = "a-secret-name"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / f"{SECRET}.onnx", tiny_model(0.2, 0.4), name="tiny & small")


def picture(path: Path, **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(GREY).save(path, **options)
    return path


def one(inputs: Path, output: Path, **options: Any) -> Outcome:
    (outcome,) = convert(inputs, output, **options)
    assert outcome.status == "done", outcome.error
    return outcome


def said(path: Path) -> Provenance | None:
    return provenance_in(read_xmp(path))


def run(*words: str | Path | int) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp", ".avif"])
def test_coloured_photo_names_model_and_options_and_no_file(tmp_path: Path, model: Path, suffix: str) -> None:
    photo = picture(tmp_path / SECRET / f"{SECRET}{suffix}")
    outcome = one(photo, tmp_path / f"out{suffix}", model=model, strength=1.3)
    assert outcome.losses == ()
    assert said(tmp_path / f"out{suffix}") == Provenance.of_ours(
        COMPOSITE, "tiny & small", read_card(model).sha256, {"strength": 1.3}
    )
    assert SECRET.encode() not in (tmp_path / f"out{suffix}").read_bytes()


def test_translated_photo_names_both_models_of_a_cycle(tmp_path: Path) -> None:
    for name, other in (("a2b", "b2a"), ("b2a", "a2b")):
        matrix_translator(tmp_path / f"{name}.onnx", NEGATIVE, reverse=other, name=name)
    there, back = (read_card(tmp_path / f"{name}.onnx") for name in ("a2b", "b2a"))
    photo = picture(tmp_path / "a.png")
    one(photo, tmp_path / "b.png", model=tmp_path / "a2b.onnx", size="96")
    assert said(tmp_path / "b.png") == Provenance.of_ours(COMPOSITE, there.name, there.sha256, {"size": 96})
    one(photo, tmp_path / "c.png", model=tmp_path / "a2b.onnx", cycle=True)
    options = {"size": "card", "cycle": f"{back.name} {back.sha256}"}
    assert said(tmp_path / "c.png") == Provenance.of_ours(COMPOSITE, there.name, there.sha256, options)


def test_result_without_it_differs_by_the_packet_alone(tmp_path: Path, model: Path) -> None:
    for suffix in (".jpg", ".png"):
        photo = picture(tmp_path / f"photo{suffix}")
        one(photo, tmp_path / f"with{suffix}", model=model)
        one(photo, tmp_path / f"without{suffix}", model=model, provenance=False)
        assert said(tmp_path / f"without{suffix}") is None
    xmp = read_xmp(tmp_path / "with.jpg")
    assert xmp is not None
    segment = b"\xff\xe1" + (31 + len(xmp)).to_bytes(2, "big") + b"http://ns.adobe.com/xap/1.0/\0" + xmp
    assert (tmp_path / "with.jpg").read_bytes().replace(segment, b"") == (tmp_path / "without.jpg").read_bytes()
    chunks = chunks_in((tmp_path / "with.png").read_bytes())
    (added,) = [each for each in chunks if each[0] == b"iTXt"]
    chunks.remove(added)
    assert chunks == chunks_in((tmp_path / "without.png").read_bytes())


def test_a_bmp_is_named_and_damaged_xmp_stays(tmp_path: Path, model: Path) -> None:
    outcome = one(picture(tmp_path / "a.bmp"), tmp_path / "b.bmp", model=model)
    assert outcome.losses == ("without provenance (a BMP holds none)",)
    outcome = one(picture(tmp_path / "a.webp", xmp=b"<x:xmpmeta"), tmp_path / "b.webp", model=model)
    assert outcome.losses == ("without provenance (damaged XMP)",)
    assert read_xmp(tmp_path / "b.webp") == b"<x:xmpmeta"
    for kind in (".bmp", ".webp"):
        assert one(tmp_path / f"a{kind}", tmp_path / f"c{kind}", model=model, provenance=False).losses == ()


def test_a_batch_says_it_and_nothing_is_done_again_for_its_sake(tmp_path: Path, model: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / "in" / f"{name}.jpg")
    words: list[str | Path] = ["colorize", tmp_path / "in", "-o", tmp_path / "out", "--model", model]
    assert "2 coloured" in run(*words, "--no-provenance")
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.jpg")}
    assert "2 skipped (2 up to date)" in run(*words)
    assert "2 skipped (2 up to date)" in run(*words, "--no-provenance")
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("*.jpg")} == before
    assert f"1 coloured into {tmp_path / 'out'}, 0 failed, 1 skipped (1 up to date)" in _after_removing(
        tmp_path / "out" / "a.jpg", words
    )
    assert said(tmp_path / "out" / "b.jpg") is None
    assert said(tmp_path / "out" / "a.jpg") is not None


def _after_removing(path: Path, words: list[str | Path]) -> str:
    path.unlink()
    return run(*words)


def test_a_result_coloured_again_says_the_newest(tmp_path: Path, model: Path) -> None:
    other = write_tiny_model(tmp_path / "other.onnx", tiny_model(0.1, 0.1), name="other")
    one(picture(tmp_path / "a.jpg"), tmp_path / "b.jpg", model=model)
    one(tmp_path / "b.jpg", tmp_path / "c.jpg", model=other, strength=0.5)
    found = said(tmp_path / "c.jpg")
    assert found is not None
    assert (found.model, found.options) == ("other", {"strength": "0.5"})
    assert (read_xmp(tmp_path / "c.jpg") or b"").count(b"<rdf:Description") == 1


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_say_it(tmp_path: Path, model: Path, suffix: str) -> None:
    pytest.importorskip("av")
    pictures = [Image.fromarray(np.roll(GREY, 40 * n).copy()) for n in range(3)]
    pictures[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=pictures[1:], duration=80)
    assert one(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", model=model).flags == ()
    found = said(tmp_path / f"b{suffix}")
    assert found is not None
    assert (found.source_type, found.model) == (COMPOSITE, "tiny & small")
    with Image.open(tmp_path / f"b{suffix}") as animation:
        assert animation.n_frames == 3  # type: ignore[attr-defined]
        animation.seek(2)
        animation.load()
    one(tmp_path / f"a{suffix}", tmp_path / f"c{suffix}", model=model, provenance=False)
    assert said(tmp_path / f"c{suffix}") is None


def test_numbered_pictures_say_it(tmp_path: Path, model: Path) -> None:
    pytest.importorskip("av")
    for number in (1, 2):
        picture(tmp_path / "in" / f"{number:03}.png")
    one(tmp_path / "in" / "%03d.png", tmp_path / "out" / "%03d.png", model=model)
    found = said(tmp_path / "out" / "002.png")
    assert found is not None
    assert found.options == {"strength": "1"}


def test_drawn_pictures_say_that_a_model_made_them(tmp_path: Path) -> None:
    model = linear_sampler(tmp_path / "sampler.onnx", flat(0.1, 0.2))
    card = read_card(model)
    made = Provenance.of_ours(GENERATED, card.name, card.sha256, {"seed": 3})
    for name in ("a.png", "a.webp"):
        run("generate", "--model", model, "-n", 4, "--seed", 3, "-o", tmp_path / name)
        assert said(tmp_path / name) == made
        run("generate", "--model", model, "-n", 4, "--seed", 3, "-o", tmp_path / f"no-{name}", "--no-provenance")
        assert said(tmp_path / f"no-{name}") is None
        with Image.open(tmp_path / name) as drawn, Image.open(tmp_path / f"no-{name}") as other:
            np.testing.assert_array_equal(np.asarray(drawn), np.asarray(other))
    for name in ("walk.gif", "walk.webp"):
        run("generate", "--model", model, "--interpolate", "1,2", "--frames", 3, "-o", tmp_path / name)
        found = said(tmp_path / name)
        assert found is not None
        assert (found.source_type, found.options) == (GENERATED, {"interpolate": "1, 2"})
        with Image.open(tmp_path / name) as walk:
            assert walk.n_frames == 4  # type: ignore[attr-defined]
            walk.seek(3)
            walk.load()


def test_pictures_of_a_class_name_it(tmp_path: Path) -> None:
    model = linear_sampler(
        tmp_path / "sampler.onnx", flat(0.1), labels=flat(-0.5, 0.5), classes=("light", "dark & dim")
    )
    run("generate", "--model", model, "--per-class", 1, "-o", tmp_path / "more")
    found = said(tmp_path / "more" / "dark & dim" / "00000.png")
    assert found is not None
    assert found.options == {"seed": "0", "label": "dark & dim"}


def test_standard_output_says_it(tmp_path: Path, model: Path) -> None:
    photo = picture(tmp_path / "a.jpg")
    result = CliRunner().invoke(app, ["colorize", str(photo), "-o", "-", "--model", str(model)])
    assert provenance_in(read_xmp(io.BytesIO(result.stdout_bytes))) is not None


def test_a_result_beside_its_photo_is_made_anew_for_other_settings_alone(tmp_path: Path, model: Path) -> None:
    photo = picture(tmp_path / "a.jpg")
    words: list[str | Path] = ["colorize", photo, "--model", model]
    assert "a.jpg -> " in run(*words)
    assert "a.colorized.jpg: up to date" in run(*words)
    first = (tmp_path / "a.colorized.jpg").read_bytes()
    assert "a.jpg -> " in run(*words, "--strength", "1.3")
    second = (tmp_path / "a.colorized.jpg").read_bytes()
    assert second != first
    assert "a.colorized.jpg: up to date" in run(*words, "--strength", "1.3")
    assert (tmp_path / "a.colorized.jpg").read_bytes() == second


def test_a_result_older_than_its_photo_is_made_anew(tmp_path: Path, model: Path) -> None:
    photo = picture(tmp_path / "a.jpg")
    run("colorize", photo, "--model", model)
    os.utime(tmp_path / "a.colorized.jpg", (1, 1))
    assert "a.jpg -> " in run("colorize", photo, "--model", model)


@pytest.mark.parametrize("content", [b"a letter", None])
def test_what_does_not_say_that_we_made_it_is_left_alone_and_says_how_to_replace_it(
    tmp_path: Path, model: Path, content: bytes | None
) -> None:
    photo, target = picture(tmp_path / "a.jpg"), tmp_path / "a.colorized.jpg"
    target.write_bytes(photo.read_bytes() if content is None else content)
    before = target.read_bytes()
    said = run("colorize", photo, "--model", model, "--strength", "1.3")
    assert said == f"{target}: already there; left alone, --overwrite replaces it\n"
    assert target.read_bytes() == before


def test_a_name_of_ones_own_may_hold_another_photos_result_and_is_left_alone(tmp_path: Path, model: Path) -> None:
    """The record says how a result was made, not of which photo."""
    target = tmp_path / "coloured.jpg"
    run("colorize", picture(tmp_path / "a.jpg"), "-o", target, "--model", model)
    before = target.read_bytes()
    assert "already there" in run("colorize", picture(tmp_path / "b.jpg"), "-o", target, "--model", model)
    assert target.read_bytes() == before


def test_one_photo_into_a_folder_with_a_journal_is_known_to_it(tmp_path: Path, model: Path) -> None:
    photos = [picture(tmp_path / f"{name}.jpg") for name in "ab"]
    words: list[str | Path] = ["-o", tmp_path / "out", "--model", model]
    run("colorize", *photos, *words)
    assert "1 skipped (1 up to date)" in run("colorize", photos[0], *words)
    assert "1 coloured" in run("colorize", photos[0], *words, "--strength", "1.3")
    assert "1 skipped (1 up to date)" in run("colorize", photos[0], *words, "--strength", "1.3")
