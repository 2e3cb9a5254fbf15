"""Pictures that are lost, spoilt or scaled on the way are counted and named; a healthy film is not called damaged."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.frame import VideoFrame
from film_clips import RATE, greys, read_film, texture, write_film
from PIL import Image

from img2img.batch.outcome import Outcome
from img2img.batch.task import Colorizing, FilmConverter
from img2img.video import film as film_module
from img2img.video.one_film import FilmOptions, convert_one_film
from img2img.video.plan import plan_films
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.place import BEGINNING, Faults, Place

H264 = {"crf": "20", "g": "12"}
CODECS = [
    (".mp4", "libx264", H264),
    (".mkv", "libx264", H264),
    (".ts", "libx264", H264),
    (".flv", "libx264", H264),
    (".webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "10", "b": "300k"}),
    (".avi", "mpeg4", {}),
    (".avi", "libx264", {"bf": "3"}),
    (".wmv", "wmv2", {}),
    (".mp4", "libx264", {"flags": "+ildct+ilme"}),
]


@pytest.fixture(scope="module")
def filming(tiny_model: Path) -> FilmConverter:
    return Colorizing(str(tiny_model)).open_for_films(1)


def convert(source: Path, target: Path, filming: FilmConverter, **options: Any) -> Outcome:
    (job,) = plan_films([str(source)], str(target), word="new")
    return convert_one_film(job, lambda: filming, FilmOptions({}, **options), lambda now, total: None)


def read(path: Path, place: Place = BEGINNING) -> tuple[list[Place], str | None]:
    """The place after each frame, and what was wrong at the end."""
    with FilmFile(path) as film:
        places = [after for _, after in film.frames(place)]
        return places, film.damage(places[-1] if places else place)


def scenes(count: int = 40) -> list[np.ndarray]:
    return [texture(96, 128, number // 6) for number in range(count)]


@pytest.mark.parametrize(("suffix", "codec", "options"), CODECS)
@pytest.mark.parametrize("stamps", [range(41), range(240, 281), [*range(10), *range(14, 30), *range(60, 75)]])
def test_a_healthy_film_is_not_called_damaged(
    tmp_path: Path, suffix: str, codec: str, options: dict[str, str], stamps: Sequence[int]
) -> None:
    """From the beginning, late, and where nothing is shown anew for a while; gone on with, too."""
    pictures = [texture(48, 64, number // 5) for number in range(41)]
    film = write_film(tmp_path / f"film{suffix}", pictures, codec=codec, options=options, stamps=list(stamps))
    places, damage = read(film)
    assert (len(places), damage) == (41, None)
    rest, damage = read(film, places[19])
    assert (len(rest), damage) == (21, None)


def test_a_film_that_starts_late_and_breaks_off_says_for_how_long_it_was_read(tmp_path: Path) -> None:
    whole = write_film(
        tmp_path / "film.mkv", [texture(96, 128, n) for n in range(72)], options=H264, stamps=range(240, 312)
    )
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    places, damage = read(tmp_path / "cut.mkv")
    assert damage == f"damaged or incomplete: its pictures break off after {len(places) / RATE:.1f} s"


def spoil(film: Path, start: int, length: int) -> Path:
    content = bytearray(film.read_bytes())
    content[start : start + length] = np.random.default_rng(0).bytes(length)
    film.write_bytes(content)
    return film


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4")])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_pictures_lost_to_noise_are_counted(tmp_path: Path, suffix: str, codec: str, share: float) -> None:
    options = H264 if codec == "libx264" else {"b": "400k"}
    film = write_film(tmp_path / f"film{suffix}", scenes(), codec=codec, options=options)
    spoil(film, int(film.stat().st_size * share), 600)
    places, damage = read(film)
    assert damage is not None
    lost = 40 - len(places)
    assert int(damage.partition("damaged: ")[2].split()[0]) >= max(lost, 1)


@pytest.mark.slow
def test_a_picture_that_is_lost_is_still_told_after_an_interruption(
    tmp_path: Path, filming: FilmConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_module, "SEGMENT", 10)
    film = write_film(tmp_path / "film.mp4", scenes(), options={"qp": "20", "g": "1"})
    with av.open(str(film)) as container:
        packets = [(packet.pos or 0, packet.size) for packet in container.demux(video=0)]
    position, size = packets[5]
    content = bytearray(film.read_bytes())
    content[position : position + size] = bytes(size)
    film.write_bytes(content)
    (job,) = plan_films([str(film)], str(tmp_path / "new.mp4"), word="new")

    def stop(done: int, total: int) -> None:
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_one_film(job, lambda: filming, FilmOptions({}), stop)
    outcome = convert(film, tmp_path / "new.mp4", filming)
    assert outcome.status == "failed"
    assert "1 of its pictures cannot be read, or not well: at 0.25 s" in str(outcome.error)


def jpeg(picture: np.ndarray, **options: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.dstack([picture] * 3)).save(content, "JPEG", **options)
    return content.getvalue()


def write_motion_jpeg(path: Path, pictures: Sequence[bytes]) -> Path:
    """As a camera does, with whatever is in the JPEGs."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mjpeg", rate=15)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, content in enumerate(pictures):
            packet: Packet[Any] = Packet(content)
            packet.pts, packet.dts, packet.time_base, packet.stream = number, number, Fraction(1, 15), stream
            packet.is_keyframe = True
            film.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv"])
def test_half_a_jpeg_in_a_film_is_told(tmp_path: Path, suffix: str) -> None:
    pictures = [jpeg(grey) for grey in greys(6)]
    assert read(write_motion_jpeg(tmp_path / f"film{suffix}", pictures))[1] is None
    pictures[3] = pictures[3][: len(pictures[3]) * 2 // 3]
    places, damage = read(write_motion_jpeg(tmp_path / f"half{suffix}", pictures))
    assert len(places) == 6
    assert str(damage).startswith("damaged: 1 of its pictures cannot be read, or not well: at 0.2")


@pytest.mark.parametrize("shown", [True, False])
def test_a_vp8_picture_that_cannot_be_decoded_is_told_also_one_that_nobody_sees(tmp_path: Path, shown: bool) -> None:
    film = write_film(tmp_path / "film.webm", scenes(), codec="libvpx", options={"b": "300k"})
    with av.open(str(film)) as container:
        data = [bytes(packet) for packet in container.demux(video=0)][12]
    first = data[:1] if shown else bytes([data[0] & ~0x10])
    content = film.read_bytes()
    film.write_bytes(content.replace(data, first + data[1:]))
    assert read(film)[1] is None
    film.write_bytes(content.replace(data, first + data[1:3] + bytes(len(data) - 3)))
    places, damage = read(film)
    assert len(places) == 39
    assert damage == "damaged: 1 of its pictures cannot be read, or not well: at 0.54 s"


@pytest.mark.parametrize("orientation", [1, 6])
def test_exif_in_a_films_frames_is_no_obstacle(tmp_path: Path, filming: FilmConverter, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x10F], exif[0x112] = "Camera", orientation
    film = write_motion_jpeg(tmp_path / "film.avi", [jpeg(grey, exif=exif) for grey in greys(4)])
    outcome = convert(film, tmp_path / "new.mkv", filming)
    assert (outcome.status, outcome.flags) == ("done", ())
    assert {frame.rotation for frame in read_film(tmp_path / "new.mkv")} == {0 if orientation == 1 else -90}


def test_frames_of_another_size_are_told(tmp_path: Path, filming: FilmConverter) -> None:
    small = [jpeg(grey) for grey in greys(2, 24, 32)]
    film = write_motion_jpeg(tmp_path / "film.avi", [*(jpeg(grey) for grey in greys(3)), *small])
    outcome = convert(film, tmp_path / "new.mkv", filming)
    assert outcome.status == "failed"
    assert "2 of its pictures had another size than 64 x 48 and were scaled to it: at 0.20 s, at 0.27 s" in str(
        outcome.error
    )
    assert len(read_film(tmp_path / "new.mkv")) == 5


def shown_at(frame: VideoFrame) -> Fraction:
    """In seconds."""
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def draw(folder: Path, count: int, suffix: str, **options: Any) -> Path:
    folder.mkdir()
    for number, grey in enumerate(greys(count)):
        Image.fromarray(grey).save(folder / f"f_{number:03}{suffix}", **options)
    return folder / f"f_%03d{suffix}"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_an_unreadable_picture_of_a_row_is_told_and_the_one_before_shown_longer(
    tmp_path: Path, filming: FilmConverter, suffix: str, share: float
) -> None:
    row = draw(tmp_path / "in", 8, suffix)
    for number in (0, 3, 7):
        bad = tmp_path / "in" / f"f_{number:03}{suffix}"
        bad.write_bytes(bad.read_bytes()[: int(bad.stat().st_size * share)])
    outcome = convert(row, tmp_path / "new.mp4", filming, rate=10.0)
    assert outcome.status == "failed"
    assert f"3 of its pictures cannot be read, or not well: f_000{suffix}, f_003{suffix}, f_007{suffix}" in str(
        outcome.error
    )
    times = [shown_at(frame) for frame in read_film(tmp_path / "new.mp4")]
    assert times == [Fraction(number, 10) for number in (1, 2, 4, 5, 6)]


def test_a_row_of_which_nothing_can_be_read_says_why(tmp_path: Path, filming: FilmConverter) -> None:
    row = draw(tmp_path / "in", 2, ".png")
    for path in (tmp_path / "in").iterdir():
        path.write_bytes(b"")
    outcome = convert(row, tmp_path / "new.mp4", filming)
    assert str(outcome.error).startswith(f"{row}: none of its pictures can be read; the first: ")
    assert "f_000.png: the file is empty" in str(outcome.error)


def test_a_picture_of_another_size_in_a_row_is_told_by_name(tmp_path: Path, filming: FilmConverter) -> None:
    row = draw(tmp_path / "in", 4, ".png")
    Image.fromarray(texture(24, 32)).save(tmp_path / "in" / "f_002.png")
    outcome = convert(row, tmp_path / "new.mp4", filming)
    assert outcome.status == "failed"
    assert "1 of its pictures had another size than 64 x 48 and were scaled to it: f_002.png" in str(outcome.error)


def test_what_pictures_have_and_films_have_not_is_told(tmp_path: Path, filming: FilmConverter) -> None:
    exif = Image.Exif()
    exif[0x10F] = "Camera"
    row = draw(tmp_path / "in", 3, ".jpg", exif=exif)
    outcome = convert(row, tmp_path / "new.mp4", filming)
    assert (outcome.status, outcome.flags) == ("done", ("without its pictures' EXIF",))


def test_faults_are_counted_and_the_first_named() -> None:
    faults = Faults()
    assert str(faults.and_more("a", 0)) == ""
    for name in "abcd":
        faults = faults.and_more(name, 2)
    assert (faults.count, str(faults)) == (8, ": a, b, c and 5 more")
    assert str(Faults().and_more("", 2)) == ""
