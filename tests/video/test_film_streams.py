"""A film's other streams decode to what they did, and what its file says beside the pictures is kept, or named."""

import io
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.stream import Disposition
from film_clips import RATE, grey_frame, greys, texture, write_film
from PIL import Image

from img2img.batch.task import FilmConverter
from img2img.video.copies import _Clock
from img2img.video.film import FilmResult, convert_film
from img2img.video.reading.film_file import FilmFile

CHAPTERS: list[Any] = [
    {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "Eins"}},
    {"id": 2, "start": 500, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "Zwei"}},
]
QUICKTIME = {
    "com.apple.quicktime.make": "Maker",
    "com.apple.quicktime.creationdate": "2020-07-04T12:00:00+0200",
    "com.apple.quicktime.location.ISO6709": "+48.1+011.5/",
}


@pytest.fixture(scope="module")
def plain() -> FilmConverter:
    """Quick, for want of a network."""
    return FilmConverter(lambda photo, steady: photo, lambda luma, steady: np.full((2, 8, 8), 10, np.float32))


def convert(source: Path, target: Path, plain: FilmConverter) -> FilmResult:
    return convert_film(lambda: FilmFile(source), target, plain, {"source": str(source)})


def write_rich(path: Path) -> Path:
    """Two video tracks with frames out of order, the second mirrored and turned; sound twice; in Matroska much more."""
    with av.open(str(path), "w") as film:
        film.metadata.update({"title": "Größe", "artist": "Anna", "creation_time": "2020-07-04T10:00:00.000000Z"})
        videos: list[Any] = [film.add_stream("libx264", rate=RATE) for _ in range(2)]
        for video, (width, height) in zip(videos, ((64, 48), (32, 32)), strict=True):
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        videos[1].set_display_rotation(90, True)
        videos[1].metadata.update({"title": "Second", "language": "fra"})
        sounds: list[Any] = [film.add_stream("aac", rate=48000) for _ in range(2)]
        for sound, title in zip(sounds, ("Commentary", "Music"), strict=True):
            sound.metadata.update({"title": title, "language": "ger"})
        packets: list[Any] = []
        if path.suffix == ".mkv":
            packets = [_line_of_subtitles(film), *packets]
            sounds[1].disposition = Disposition.comment | Disposition.hearing_impaired
            film.add_attachment("font.ttf", "application/x-truetype-font", b"FONT" * 10)
            film.add_attachment("cover.jpg", "image/jpeg", _jpeg())
        film.set_chapters(CHAPTERS)
        for stream in (*videos, *sounds):
            packets += _encoded(stream)
        for packet in sorted(packets, key=lambda each: (each.dts or 0) * each.time_base):
            film.mux(packet)
    return path


def _line_of_subtitles(film: Any) -> "Packet[Any]":
    subtitles = film.add_mux_stream("subrip")
    subtitles.metadata["language"], subtitles.disposition = "eng", Disposition.forced
    line: Packet[Any] = Packet(b"Guten Tag")
    line.stream, line.pts, line.dts, line.duration, line.time_base = subtitles, 100, 100, 500, Fraction(1, 1000)
    return line


def _jpeg() -> bytes:
    content = io.BytesIO()
    Image.fromarray(texture(32, 32)).save(content, "JPEG")
    return content.getvalue()


def _encoded(stream: Any) -> list[Any]:
    packets = []
    if stream.type == "video":
        for number, picture in enumerate(greys(30, stream.height, stream.width)):
            frame = grey_frame(picture, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            packets += stream.encode(frame)
    else:
        for start in range(0, 48000, 1024):
            tone = np.sin(np.arange(start, start + 1024) / 20)[None].repeat(2, 0).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = 48000, start, Fraction(1, 48000)
            packets += stream.encode(sound)
    return [*packets, *stream.encode(None)]


def _samples(frame: object) -> bytes:
    assert isinstance(frame, av.VideoFrame | av.AudioFrame)
    return frame.to_ndarray().tobytes()


def decoded(path: Path) -> dict[str, Any]:
    """What each stream comes to, by its kind and number among that: frames, or packets."""
    content: dict[str, Any] = {}
    with av.open(str(path)) as film:
        kinds = [(stream.index, stream.type) for stream in film.streams]
    for index, kind in kinds:
        with av.open(str(path)) as film:
            stream = film.streams[index]
            if kind == "attachment":
                frames: Any = stream.data  # type: ignore[attr-defined]
            elif kind in ("video", "audio"):
                frames = [_samples(frame) for packet in film.demux(stream) for frame in packet.decode()]
            else:
                frames = [bytes(packet) for packet in film.demux(stream) if packet.size]
            content[f"{kind} {[each for _, each in kinds[:index]].count(kind)}"] = frames
    return content


def names(path: Path) -> list[tuple[str, str | None, str | None]]:
    """Kind, name and language of each stream with pictures or sound."""
    with av.open(str(path)) as film:
        said = [(each.type, each.metadata, each.language) for each in film.streams]
        languages = {"und": None}
        return [
            (kind, metadata.get("title", metadata.get("name")), languages.get(language or "und", language))
            for kind, metadata, language in said
            if kind in ("video", "audio")
        ]


SOURCES, TARGETS = (".mkv", ".mp4", ".mov", ".ts", ".avi"), (".mkv", ".mp4", ".mov")
FIRST = [*((source, ".mkv") for source in SOURCES), *((".mkv", target) for target in TARGETS[1:])]
OTHERS = [pytest.param(*pair, marks=pytest.mark.slow) for pair in product(SOURCES, TARGETS) if pair not in FIRST]


@pytest.mark.parametrize(("source", "target"), [*FIRST, *OTHERS])
def test_every_copied_stream_decodes_to_what_it_did(
    tmp_path: Path, plain: FilmConverter, source: str, target: str
) -> None:
    film = write_rich(tmp_path / f"film{source}")
    result = convert(film, tmp_path / f"new{target}", plain)
    old, new = decoded(film), decoded(tmp_path / f"new{target}")
    assert len(new["video 1"]) == 30
    assert new["video 1"] == old["video 1"]
    for sound in ("audio 0", "audio 1"):  # Matroska has no word for the silence that an encoder begins with
        assert new[sound][-len(old[sound]) :] == old[sound][-len(new[sound]) :]
        assert abs(len(new[sound]) - len(old[sound])) <= 1
    if source == target == ".mkv":
        assert result.lost == ()
        for name in ("subtitle 0", "attachment 0", "video 2"):
            assert new[name] == old[name] != []
    with av.open(str(film)) as before, av.open(str(tmp_path / f"new{target}")) as after:
        turns = [next(each.decode(each.streams.video[1])).rotation for each in (before, after)]
    assert turns[0] == turns[1]


@pytest.mark.parametrize("target", [".mkv", ".mp4", ".mov"])
def test_names_languages_and_chapters_of_an_mp4_are_kept(tmp_path: Path, plain: FilmConverter, target: str) -> None:
    film = write_rich(tmp_path / "film.mp4")
    assert convert(film, tmp_path / f"new{target}", plain).lost == ()
    assert names(tmp_path / f"new{target}") == names(film)
    assert ("audio", "Music", "ger") in names(film)
    with av.open(str(tmp_path / f"new{target}")) as new:
        assert [chapter["metadata"]["title"] for chapter in new.chapters()] == ["Eins", "Zwei"]
        said = {key.lower(): value for key, value in new.metadata.items()}
    assert said["title"] == "Größe"
    assert said["artist"] == "Anna"
    assert said["creation_time"].startswith("2020-07-04T10:00:00")


def test_what_a_container_has_no_room_for_is_named(tmp_path: Path, plain: FilmConverter) -> None:
    film = write_rich(tmp_path / "film.mkv")
    assert set(convert(film, tmp_path / "new.mov", plain).lost) == {
        "subtitle stream 4 (srt), which does not go into .mov",
        "attachment stream 5 (font.ttf), which does not go into .mov",
        "video stream 6 (mjpeg), which does not go into .mov",
        "the mark 'comment' of audio stream 3",
        "the mark 'hearing impaired' of audio stream 3",
    }


def described(path: Path, metadata: dict[str, str], of_pictures: dict[str, str] | None = None, **options: Any) -> Path:
    def describe(film: Any) -> None:
        film.metadata.update(metadata)
        film.streams.video[0].metadata.update(of_pictures or {})

    return write_film(path, greys(5), prepare=describe, **options)


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
@pytest.mark.parametrize("target", [".mov", ".mp4", ".mkv"])
def test_a_phones_place_date_and_name_are_kept(tmp_path: Path, plain: FilmConverter, suffix: str, target: str) -> None:
    film = described(
        tmp_path / f"film{suffix}",
        {**QUICKTIME, "title": "Größe"},
        container_options={"movflags": "use_metadata_tags"},
    )
    assert convert(film, tmp_path / f"new{target}", plain).lost == ()
    with av.open(str(tmp_path / f"new{target}")) as new:
        said = {key.lower(): value for key, value in new.metadata.items()}
    for key, value in {**QUICKTIME, "title": "Größe"}.items():
        assert said[key.lower()] == value


def test_a_key_that_is_not_kept_is_named(tmp_path: Path, plain: FilmConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    film = described(tmp_path / "film.mkv", {"MOOD": "blue", "title": "Größe"})
    monkeypatch.setattr("img2img.video.join.container_options", lambda metadata, encoding, cover: {})
    assert convert(film, tmp_path / "new.mp4", plain).lost == ("its MOOD",)


def test_what_describes_the_old_file_is_left_out(tmp_path: Path, plain: FilmConverter) -> None:
    stale = {
        "alpha_mode": "1",
        "BPS": "123",
        "NUMBER_OF_FRAMES-eng": "9",
        "NUMBER_OF_BYTES": "77",
        "_STATISTICS_TAGS": "BPS NUMBER_OF_BYTES",
        "ENCODER": "Old",
        "encoder_settings": "cabac=0",
    }
    film = described(tmp_path / "film.mkv", {"encoder": "Old"}, {**stale, "title": "Kept", "language": "ger"})
    with av.open(str(film)) as old:
        assert "BPS" in old.streams.video[0].metadata
    assert convert(film, tmp_path / "new.mkv", plain).lost == ()
    with av.open(str(tmp_path / "new.mkv")) as new:
        said = dict(new.streams.video[0].metadata)
        assert said.pop("DURATION") == "00:00:00.208000000"
        assert said == {"title": "Kept", "language": "ger"}
        assert "Old" not in new.metadata.values()


@pytest.mark.parametrize(
    ("stamps", "decoding"),
    [
        ([(0, None), (160, None), (80, 0), (40, 40)], [-80, -40, 0, 40]),  # as FFmpeg reads Matroska
        ([(0, 0), (80, 40), (40, None), (120, 120)], [0, 40, 41, 120]),
        ([(0, None), (40, None), (80, None)], [0, 40, 80]),
        ([(5, 5), (5, 5), (3, 3)], [5, 6, 7]),  # a damaged file may say one time twice
        ([(None, None), (None, 10)], [-30, 10]),
    ],
)
def test_times_of_decoding_rise(stamps: list[tuple[int | None, int | None]], decoding: list[int]) -> None:
    with av.open(io.BytesIO(), "w", format="matroska") as film:
        clock = _Clock(film.add_stream("libx264", rate=25))
        timed = []
        for shown, decoded_at in stamps:
            packet: Packet[Any] = Packet(b"x")
            packet.pts, packet.dts, packet.duration = shown, decoded_at, 40
            timed += clock.timed(packet)
        timed += clock.rest()
    assert [packet.dts for packet in timed] == decoding
    assert all(packet.pts is not None and packet.pts >= (packet.dts or 0) for packet in timed)


def test_the_chapters_of_a_quicktime_film_are_not_there_twice(tmp_path: Path, plain: FilmConverter) -> None:
    film = write_rich(tmp_path / "film.mov")
    convert(film, tmp_path / "new.mov", plain)
    with av.open(str(film)) as old, av.open(str(tmp_path / "new.mov")) as new:
        before, after = ([stream.type for stream in each.streams] for each in (old, new))
    assert after == before
    assert before.count("data") == 1
