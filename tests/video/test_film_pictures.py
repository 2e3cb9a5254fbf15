"""Animations and numbered pictures: each picture converted, its time, its metadata and its number kept."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from film_clips import RATE, greys, read_film, texture, write_film
from PIL import Image, ImageSequence
from png_bytes import png_bytes

from img2img.batch.outcome import Outcome
from img2img.batch.task import Colorizing, FilmConverter
from img2img.photo import Photo
from img2img.video.kinds import kind_of
from img2img.video.one_film import FilmOptions, convert_one_film
from img2img.video.plan import plan_films
from img2img.video.sequence import exact_rate


@pytest.fixture(scope="module")
def filming(tiny_model: Path) -> FilmConverter:
    """Everything becomes orange."""
    return Colorizing(str(tiny_model)).open_for_films(1)


def convert(
    source: Path, target: Path, filming: FilmConverter, *, frames: list[int] | None = None, **options: Any
) -> Outcome:
    (job,) = plan_films([str(source)], str(target), word="new")
    done = frames if frames is not None else []
    return convert_one_film(job, lambda: filming, FilmOptions({}, **options), lambda now, total: done.append(now))


def animate(path: Path, pictures: list[Image.Image], **options: Any) -> Path:
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)
    return path


def is_orange(picture: Image.Image) -> bool:
    red, green, blue = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(0)
    return bool(red > green + 10 > blue + 20)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_keeps_its_times_and_its_loop(tmp_path: Path, filming: FilmConverter, suffix: str) -> None:
    pictures = [Image.fromarray(grey) for grey in greys(5, step=4)]
    durations = [40, 100, 60, 200, 80]
    source = animate(tmp_path / f"a{suffix}", pictures, duration=durations, loop=3)
    outcome = convert(source, tmp_path / f"new{suffix}", filming)
    assert (outcome.status, outcome.width, outcome.height) == ("done", 64, 48)
    with Image.open(tmp_path / f"new{suffix}") as new:
        assert new.info["loop"] == 3
        frames = [(frame.copy(), frame.info["duration"]) for frame in ImageSequence.Iterator(new)]
    assert [duration for _, duration in frames] == durations
    assert all(is_orange(frame) for frame, _ in frames)
    for (frame, _), old in zip(frames, pictures, strict=True):
        shown = np.asarray(frame.convert("RGB").convert("L")).astype(float)
        assert np.abs(shown - np.asarray(old)).mean() < 4


def test_a_gif_that_plays_once_still_does(tmp_path: Path, filming: FilmConverter) -> None:
    source = animate(tmp_path / "a.gif", [Image.fromarray(grey) for grey in greys(3, step=4)], duration=50)
    convert(source, tmp_path / "new.gif", filming)
    with Image.open(tmp_path / "new.gif") as new:
        assert "loop" not in new.info


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_transparency_is_kept(tmp_path: Path, filming: FilmConverter, suffix: str) -> None:
    pictures = []
    for number, grey in enumerate(greys(3, step=4)):
        alpha = np.zeros_like(grey)
        alpha[10:30, 10 * number : 10 * number + 20] = 255
        pictures.append(Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha))).convert("RGBA"))
    source = animate(tmp_path / f"a{suffix}", pictures, duration=50, disposal=2 if suffix == ".gif" else 1)
    convert(source, tmp_path / f"new{suffix}", filming)
    for path in (source, tmp_path / f"new{suffix}"):
        with Image.open(path) as animation:
            animation.seek(2)
            shown = np.asarray(animation.convert("RGBA"))[..., 3]
        assert (shown[10:30, 20:40] == 255).all()
    with Image.open(source) as old, Image.open(tmp_path / f"new{suffix}") as new:
        for number in range(3):
            old.seek(number)
            new.seek(number)
            alphas = [np.asarray(each.convert("RGBA"))[..., 3] for each in (old, new)]
            np.testing.assert_array_equal(*alphas)


def test_transparency_after_an_opaque_picture_is_kept(tmp_path: Path, filming: FilmConverter) -> None:
    opaque, hole = (Image.fromarray(texture(48, 64, seed)).convert("RGBA") for seed in (0, 1))
    hole.putalpha(Image.fromarray(np.where(np.arange(64) < 32, 0, 255).astype(np.uint8)[None].repeat(48, 0)))
    source = animate(tmp_path / "a.png", [opaque, hole], duration=50, disposal=1)
    convert(source, tmp_path / "new.gif", filming)
    with Image.open(tmp_path / "new.gif") as animation:
        assert animation.disposal_method == 2, "the first picture goes before the second one comes"  # type: ignore[attr-defined]


def test_pictures_that_build_on_one_another_are_whole(tmp_path: Path) -> None:
    """The second picture of the file holds a corner only; what is converted has all of it."""
    seen: list[np.ndarray] = []

    def keep(photo: Photo, steady: Any) -> Photo:
        seen.append(np.asarray(photo.to_image().convert("L")))
        return photo

    first = texture(48, 64)
    second = first.copy()
    second[:8, :8] = 255 - second[:8, :8]
    source = animate(tmp_path / "a.gif", [Image.fromarray(first), Image.fromarray(second)], duration=50)
    convert(source, tmp_path / "new.gif", FilmConverter(keep))
    np.testing.assert_allclose(np.stack(seen).astype(int), np.stack([first, second]), atol=1)


def test_a_damaged_animation_fails_by_name(tmp_path: Path, filming: FilmConverter) -> None:
    pictures = [Image.fromarray(texture(48, 64, seed)) for seed in range(6)]
    source = animate(tmp_path / "a.gif", pictures, duration=50)
    source.write_bytes(source.read_bytes()[:6000])
    assert kind_of(str(source)) == "animation"
    outcome = convert(source, tmp_path / "new.gif", filming)
    assert outcome.status == "failed"
    assert str(outcome.error).startswith(f"{source}: damaged")
    assert not (tmp_path / "new.gif").exists()


def draw_numbered(folder: Path, numbers: list[int], suffix: str = ".png") -> Path:
    folder.mkdir(exist_ok=True)
    for number, grey in zip(numbers, greys(len(numbers)), strict=True):
        Image.fromarray(grey).save(folder / f"f_{number:04}{suffix}", dpi=(300, 300))
    return folder / f"f_%04d{suffix}"


def test_numbered_pictures_keep_number_and_metadata(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", [7, 8, 9])
    outcome = convert(source, tmp_path / "out" / "g_%d.jpg", filming)
    assert (outcome.status, outcome.error, outcome.width) == ("done", None, 64)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["g_7.jpg", "g_8.jpg", "g_9.jpg"]
    with Image.open(tmp_path / "out" / "g_8.jpg") as picture:
        assert is_orange(picture)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_what_numbered_pictures_lose_is_told(tmp_path: Path, filming: FilmConverter) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        data = png_bytes(greys(1)[0], before=[(b"tEXt", b"Title\0Harbour")])
        (tmp_path / "in" / f"f_{number}.png").write_bytes(data)
    outcome = convert(tmp_path / "in/f_%d.png", tmp_path / "out/f_%d.jpg", filming)
    assert (outcome.status, outcome.flags) == ("done", ("without text (tEXt)",))


def test_a_gap_and_a_damaged_picture_are_told_and_the_rest_is_done(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", [1, 2, 4, 5])
    (tmp_path / "in" / "f_0004.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    outcome = convert(source, tmp_path / "out" / "f_%04d.png", filming)
    assert outcome.status == "failed"
    assert "f_0004.png" in str(outcome.error)
    assert "missing pictures: 3" in str(outcome.error)
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["f_0001.png", "f_0002.png", "f_0005.png"]


def test_no_numbered_pictures_at_all(tmp_path: Path, filming: FilmConverter) -> None:
    outcome = convert(tmp_path / "f_%04d.png", tmp_path / "g_%04d.png", filming)
    assert outcome.status == "failed"
    assert "f_0001.png" in str(outcome.error)


class Stop(Exception):
    pass


def stopping_at(filming: FilmConverter, picture: int) -> FilmConverter:
    calls: list[int] = []

    def convert(photo: Photo, steady: Any) -> Photo:
        calls.append(0)
        if len(calls) == picture:
            raise Stop
        return filming.convert(photo, steady)

    return FilmConverter(convert, filming.chroma)


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interrupted_sequence_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    """With a model that says something else of every frame, only the kept state makes the rest the same."""
    monkeypatch.setattr("img2img.video.sequence._KEPT_EVERY", 4)

    def flickering() -> FilmConverter:
        def convert(photo: Photo, steady: Any) -> Photo:
            level = float(photo.pixels[0, 0]) - 125
            field = steady(photo.pixels, np.full((2, *photo.pixels.shape), level, np.float32))
            return Photo(np.full_like(photo.pixels, round(128 + float(field.mean()))), "L")

        return FilmConverter(convert)

    source = draw_numbered(tmp_path / "in", list(range(1, 12)))
    convert(source, tmp_path / "whole" / "f_%04d.png", flickering())
    target = tmp_path / "new" / "f_%04d.png"
    if overwrite:
        draw_numbered(tmp_path / "new", list(range(1, 12)))
    with pytest.raises(Stop):
        convert(source, target, stopping_at(flickering(), 7), overwrite=overwrite)
    done: list[int] = []
    outcome = convert(source, target, flickering(), frames=done, overwrite=overwrite)
    assert (outcome.status, done[0]) == ("done", 5)
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "new" / path.name).read_bytes() == path.read_bytes()
    assert not [path for path in (tmp_path / "new").iterdir() if path.name.startswith(".")]


def strong(strength: float, tiny_model: Path) -> FilmConverter:
    return Colorizing(str(tiny_model), strength=strength).open_for_films(1)


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
def test_pictures_of_an_interrupted_run_with_other_settings_are_replaced(
    tmp_path: Path, tiny_model: Path, overwrite: bool
) -> None:
    """Otherwise the first half would have one strength, and the second half another."""
    source = draw_numbered(tmp_path / "in", list(range(1, 7)))
    target = tmp_path / "new" / "f_%04d.png"
    if overwrite:
        draw_numbered(tmp_path / "new", list(range(1, 7)))
    (job,) = plan_films([str(source)], str(target), word="new")
    half, nothing = stopping_at(strong(1.0, tiny_model), 4), stopping_at(strong(0.2, tiny_model), 1)
    with pytest.raises(Stop):
        convert_one_film(
            job, lambda: half, FilmOptions({"strength": 1.0}, overwrite=overwrite), lambda done, total: None
        )
    with pytest.raises(Stop):
        convert_one_film(job, lambda: nothing, FilmOptions({"strength": 0.2}), lambda done, total: None)
    outcome = convert_one_film(
        job, lambda: strong(0.2, tiny_model), FilmOptions({"strength": 0.2}), lambda done, total: None
    )
    assert outcome.status == "done"
    convert(source, tmp_path / "whole" / "f_%04d.png", strong(0.2, tiny_model))
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "new" / path.name).read_bytes() == path.read_bytes()


def test_overwriting_said_after_an_interruption_holds_for_all(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", list(range(1, 7)))
    target = draw_numbered(tmp_path / "new", list(range(1, 6)))
    with pytest.raises(Stop):
        convert(source, target, stopping_at(filming, 4))
    assert convert(source, target, filming, overwrite=True).status == "done"
    for path in (tmp_path / "new").iterdir():
        with Image.open(path) as picture:
            assert is_orange(picture), path.name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["new.mp4", "new/f_%04d.png"])
def test_an_interrupted_overwriting_goes_on_without_the_word(tmp_path: Path, filming: FilmConverter, name: str) -> None:
    source = write_film(tmp_path / "film.mp4", greys(6))
    target = tmp_path / name
    assert convert(source, target, filming).status == "done"
    finished = sorted(tmp_path.glob("new*/*")) or [target]
    for path in finished:
        path.write_bytes(b"an older one")
    (job,) = plan_films([str(source)], str(target), word="new")

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        convert_one_film(job, lambda: filming, FilmOptions({}, overwrite=True), stop)
    assert finished[-1].read_bytes() == b"an older one"
    assert convert(source, target, filming).status == "done"
    assert all(path.stat().st_size > 50 for path in finished)
    assert convert(source, target, filming).status == "skipped"


def test_a_damaged_picture_is_still_told_after_an_interruption(
    tmp_path: Path, filming: FilmConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("img2img.video.sequence._KEPT_EVERY", 2)
    source = draw_numbered(tmp_path / "in", [1, 2, 3, 4, 5, 6])
    (tmp_path / "in" / "f_0001.png").write_bytes(b"nothing")
    with pytest.raises(Stop):
        convert(source, tmp_path / "new" / "f_%04d.png", stopping_at(filming, 4))
    done: list[int] = []
    outcome = convert(source, tmp_path / "new" / "f_%04d.png", filming, frames=done)
    assert done[0] == 5
    assert outcome.status == "failed"
    assert "1 pictures cannot be read" in str(outcome.error)


def test_finished_pictures_are_left_alone(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", [1, 2])
    target = tmp_path / "out" / "f_%04d.png"
    convert(source, target, filming)
    before = (tmp_path / "out" / "f_0001.png").stat().st_mtime_ns
    assert convert(source, target, filming).status == "skipped"
    assert (tmp_path / "out" / "f_0001.png").stat().st_mtime_ns == before
    assert convert(source, target, filming, overwrite=True).status == "done"
    assert (tmp_path / "out" / "f_0001.png").stat().st_mtime_ns > before


def test_numbered_pictures_become_a_film(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", [5, 6, 7, 8])
    outcome = convert(source, tmp_path / "new.mp4", filming, rate=12.5)
    assert (outcome.status, outcome.width, outcome.height) == ("done", 64, 48)
    frames = read_film(tmp_path / "new.mp4")
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(number, 25) * 2 for number in range(4)]
    assert is_orange(frames[0].to_image())


def test_numbered_pictures_are_found_in_a_folder_with_a_percent_sign(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "50%d off", [1, 2])
    assert convert(source, tmp_path / "new.mp4", filming).status == "done"
    assert len(read_film(tmp_path / "new.mp4")) == 2


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (24.0, Fraction(24)),
        (12.5, Fraction(25, 2)),
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (0.01, Fraction(1, 100)),
        (1.0, Fraction(1)),
    ],
)
def test_rates(said: float, meant: Fraction) -> None:
    assert exact_rate(said) == meant


def test_a_film_of_pictures_with_a_gap_is_refused(tmp_path: Path, filming: FilmConverter) -> None:
    source = draw_numbered(tmp_path / "in", [5, 6, 8])
    outcome = convert(source, tmp_path / "new.mp4", filming)
    assert outcome.status == "failed"
    assert "missing pictures: 7" in str(outcome.error)


def test_a_film_becomes_numbered_pictures(tmp_path: Path, filming: FilmConverter) -> None:
    source = write_film(tmp_path / "film.mp4", greys(RATE))
    target = tmp_path / "out" / "f_%03d.png"
    assert convert(source, target, filming).status == "done"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"f_{number:03}.png" for number in range(1, RATE + 1)]
    with Image.open(tmp_path / "out" / "f_001.png") as picture:
        assert is_orange(picture)
    assert convert(source, target, filming).status == "skipped"


@pytest.mark.slow
def test_a_film_that_breaks_off_is_told_also_as_pictures(tmp_path: Path, filming: FilmConverter) -> None:
    whole = write_film(
        tmp_path / "whole.mkv", [texture(48, 64, seed) for seed in range(48)], options={"crf": "10", "g": "6"}
    )
    source = tmp_path / "film.mkv"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    outcome = convert(source, tmp_path / "out" / "f_%03d.png", filming)
    assert outcome.status == "failed"
    assert "break off after" in str(outcome.error)
    assert 10 < len(list((tmp_path / "out").iterdir())) < 40


def test_a_film_of_which_nothing_can_be_read_gives_no_pictures(tmp_path: Path, filming: FilmConverter) -> None:
    content = bytearray(write_film(tmp_path / "film.mp4", greys(3)).read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (tmp_path / "film.mp4").write_bytes(content)
    outcome = convert(tmp_path / "film.mp4", tmp_path / "f_%03d.png", filming)
    assert outcome.status == "failed"
    assert "none of its pictures can be read" in str(outcome.error)


def test_a_film_may_have_a_percent_sign_in_its_name(tmp_path: Path, filming: FilmConverter) -> None:
    source = write_film(tmp_path / "film.mp4", greys(3))
    target = tmp_path / "take %d.mp4"
    assert convert(source, target, filming).status == "done"
    assert len(read_film(target)) == 3


def test_a_target_whose_name_is_too_long_fails_by_name(tmp_path: Path, filming: FilmConverter) -> None:
    source = write_film(tmp_path / "film.mp4", greys(3))
    target = tmp_path / ("a" * 300 + ".mp4")
    outcome = convert(source, target, filming)
    assert outcome.error == f"{target}: the name is too long; choose a shorter one"
