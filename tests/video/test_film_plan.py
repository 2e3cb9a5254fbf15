"""Which inputs are films, and where their results go."""

from pathlib import Path

import pytest
from PIL import Image

from img2img.errors import UsageError
from img2img.video.kinds import Numbered, are_films, gaps, kind_of
from img2img.video.plan import plan_films


def draw_animation(path: Path, frames: int = 3) -> Path:
    pictures = [Image.linear_gradient("L").resize((20, 16)).rotate(90 * number) for number in range(frames)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.MOV", "folder/a.mkv", "a.webm", "a.avi", "missing.m2ts"])
def test_films_are_known_by_their_suffix(name: str) -> None:
    assert kind_of(name) == "film"


@pytest.mark.parametrize("name", ["a.jpg", "-", "folder", "a.png", "a.gif", "a.zip", "a%d.mp3%", "photo%20.jpg"])
def test_what_is_no_film(name: str) -> None:
    assert kind_of(name) is None


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_an_animation_is_looked_into(tmp_path: Path, suffix: str) -> None:
    moving = draw_animation(tmp_path / f"moving{suffix}")
    still = draw_animation(tmp_path / f"still{suffix}", frames=1)
    assert kind_of(str(moving)) == "animation"
    assert kind_of(str(moving), first_frame=True) is None
    assert kind_of(str(still)) is None


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"RIFF....WEBPVP8X", b"\x89PNG\r\n\x1a\n\0\0"])
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_a_damaged_picture_is_left_to_the_photo_reader(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(content)
    assert kind_of(str(tmp_path / f"a{suffix}")) is None


def test_numbered_pictures(tmp_path: Path) -> None:
    for name in ("f_0009.png", "f_0010.png", "f_0012.png", "f_13.png", "f_x.png", "g_0011.png", "f_0011.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "f_0014.png").mkdir()
    pattern = Numbered.named(str(tmp_path / "f_%04d.png"))
    assert pattern is not None
    assert pattern.numbers() == [9, 10, 12]
    assert pattern.path(7) == tmp_path / "f_0007.png"
    assert str(pattern) == str(tmp_path / "f_%04d.png")
    plain = Numbered.named(str(tmp_path / "f_%d.png"))
    assert plain is not None
    assert plain.numbers() == [13]


def test_a_name_that_is_too_long_is_left_to_the_reader() -> None:
    assert kind_of("a" * 300 + ".mp4") == "film"
    assert kind_of("a" * 300 + ".png") is None
    assert [job.target.name for job in plan_films(["a.mp4"], "b" * 300 + ".mp4", word="new")] == ["b" * 300 + ".mp4"]


def test_a_picture_that_nobody_may_read_is_left_to_the_photo_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = draw_animation(tmp_path / "moving.gif")

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "no permission", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert kind_of(str(moving)) is None


def test_a_file_named_like_a_pattern_is_a_photo(tmp_path: Path) -> None:
    (tmp_path / "100%d.jpg").touch()
    assert kind_of(str(tmp_path / "100%d.jpg")) is None


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], None),
        ([4, 5, 6], None),
        ([1, 2, 4], "3"),
        ([1, 9], "2, 3, 4 and 4 more"),
        ([1, 5], "2, 3, 4"),
        ([1, 10**9], "2, 3, 4 and 999999995 more"),
    ],
)
def test_gaps_are_named(numbers: list[int], words: str | None) -> None:
    assert gaps(numbers) == words


@pytest.mark.parametrize(
    ("inputs", "output", "targets"),
    [
        (["a/film.mp4"], None, ["a/film.colorized.mp4"]),
        (["a/film.avi"], None, ["a/film.colorized.mkv"]),
        (["film.mp4"], "out/", ["out/film.mp4"]),
        (["film.mp4"], "new.mkv", ["new.mkv"]),
        (["a/one.mp4", "b/two.ts"], "out", ["out/one.mp4", "out/two.mkv"]),
        (["film.mp4"], "f_%05d.png", ["f_%05d.png"]),
        (["f_%05d.png"], "film.webm", ["film.webm"]),
        (["f_%05d.png"], "g_%05d.jpg", ["g_%05d.jpg"]),
        (["a/f_%05d.png"], "out/", ["out/f_%05d.png"]),
    ],
)
def test_targets(inputs: list[str], output: str | None, targets: list[str]) -> None:
    assert [str(job.target) for job in plan_films(inputs, output, word="colorized")] == targets


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["film.mp4"], "-", "standard output"),
        (["film.mp4"], "film.avi", r"a film becomes \.mp4"),
        (["film.mp4"], "film.gif", r"a film becomes \.mp4"),
        (["film.mp4"], "film.mp4", "would overwrite the input"),
        (["a.mp4", "b/a.mp4"], "out", "would both become"),
        (["f_%03d.png"], "out.gif", "numbered pictures become"),
        (["a.mp4", "b.mp4"], "new.mp4", "names one film"),
        (["a.mp4", "b.mp4"], __file__, "names one film"),
        (["films/*.mp4"], "out/", "patterns are for photos"),
        (["s3://films/a.mp4"], "out/", "this machine's own disks"),
        (["a.mp4"], "s3://films/a.mp4", "this machine's own disks"),
        (["a.mp4"], "", "-o is empty"),
        (["f_%03d.png"], None, r"Add -o, such as -o f_%03d\.colorized\.png"),
    ],
)
def test_refusals(inputs: list[str], output: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_films(inputs, output, word="colorized")


def test_an_animation_stays_one(tmp_path: Path) -> None:
    moving = draw_animation(tmp_path / "moving.gif")
    (job,) = plan_films([str(moving)], None, word="colorized")
    assert (job.target.name, job.makes) == ("moving.colorized.gif", "animation")
    with pytest.raises(UsageError, match=r"an animation becomes \.gif"):
        plan_films([str(moving)], "film.mp4", word="colorized")


def test_films_and_photos_go_apart(tmp_path: Path) -> None:
    moving = str(draw_animation(tmp_path / "moving.gif"))
    assert are_films(["a.mp4", moving], first_frame=False)
    assert not are_films(["a.jpg", "folder"], first_frame=False)
    assert not are_films([moving, "a.jpg"], first_frame=True)
    with pytest.raises(UsageError, match=r"a\.mp4 moves and b\.jpg does not"):
        are_films(["b.jpg", "a.mp4"], first_frame=False)
