"""A film converted: colours new, and all else as it was: luma, time, sound, looks. Interrupted, it goes on exactly."""

import errno
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.stream import Disposition
from film_clips import RATE, first_half, grey_frame, greys, lumas, packets, plane_view, read_film, texture, write_film
from PIL import Image

import img2img
from img2img.atomic_file import written_at_once
from img2img.batch.task import Colorizing, FilmConverter
from img2img.errors import FilmError
from img2img.inference.colorizer import Colorizer
from img2img.photo import Photo
from img2img.video import film as film_module
from img2img.video.encoding import ENCODINGS
from img2img.video.film import FilmResult, convert_film
from img2img.video.look import look_of
from img2img.video.planes import own_frame, to_rgb
from img2img.video.reading import film_file
from img2img.video.reading.film_file import FilmFile, Place
from img2img.video.work_folder import WorkFolder


@pytest.fixture(scope="module")
def filming(tiny_model: Path) -> FilmConverter:
    """Everything becomes orange."""
    return Colorizing(str(tiny_model)).open_for_films(1)


@pytest.fixture(scope="module")
def flickering() -> FilmConverter:
    """Another colour in every frame, which the frames before it take part in; quick, for want of a network."""

    def chroma(luma: np.ndarray, steady: Any) -> np.ndarray:
        return steady(luma, np.full((2, *luma.shape), float(luma[0, 0]) / 4 - 30, np.float32))

    return FilmConverter(lambda photo, steady: photo, chroma)


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_module, "SEGMENT", 10)


@pytest.fixture
def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """H.264 that keeps every value, so that what changes is not the encoder's doing."""
    for suffix, encoding in list(ENCODINGS.items()):
        if encoding.codec == "libx264":
            monkeypatch.setitem(ENCODINGS, suffix, replace(encoding, options={"qp": "0", "preset": "ultrafast"}))


def convert(source: Path, target: Path, filming: FilmConverter, **more: Any) -> FilmResult:
    return convert_film(lambda: FilmFile(source), target, filming, {"source": str(source)}, **more)


def stamps_of(path: Path) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in read_film(path)]


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_and_their_times_are_kept(tmp_path: Path, flickering: FilmConverter, suffix: str) -> None:
    source = write_film(tmp_path / f"film{suffix}", greys(35))
    result = convert(source, tmp_path / f"new{suffix}", flickering)
    assert (result.frames, result.damage, result.lost) == (35, None, ())
    assert stamps_of(tmp_path / f"new{suffix}") == stamps_of(source)
    with av.open(str(source)) as old, av.open(str(tmp_path / f"new{suffix}")) as new:
        assert new.streams.video[0].average_rate == old.streams.video[0].average_rate == RATE
        assert new.duration == pytest.approx(old.duration, abs=1001)  # Matroska counts whole milliseconds


@pytest.mark.usefixtures("short_segments")
def test_webm_becomes_webm(tmp_path: Path, flickering: FilmConverter) -> None:
    fast = {"deadline": "realtime", "cpu-used": "8"}
    source = write_film(tmp_path / "film.webm", greys(12), codec="libvpx-vp9", options=fast, tone=True)
    convert(source, tmp_path / "new.webm", flickering)
    assert stamps_of(tmp_path / "new.webm") == stamps_of(source)
    assert packets(tmp_path / "new.webm", "audio") == packets(source, "audio")


@pytest.mark.usefixtures("short_segments")
def test_a_variable_frame_rate_is_kept(tmp_path: Path, flickering: FilmConverter) -> None:
    steps = np.random.default_rng(0).integers(1, 9, 34)
    stamps = [7, *(7 + np.cumsum(steps)).tolist()]
    source = write_film(tmp_path / "film.mp4", greys(35), stamps=stamps, time_base=Fraction(1, 120))
    convert(source, tmp_path / "new.mp4", flickering)
    assert stamps_of(tmp_path / "new.mp4") == stamps_of(source)
    assert np.diff(stamps_of(source)).min() < np.diff(stamps_of(source)).max() / 4
    with av.open(str(source)) as old, av.open(str(tmp_path / "new.mp4")) as new:
        assert new.streams.video[0].duration == old.streams.video[0].duration


@pytest.mark.usefixtures("lossless", "short_segments")
@pytest.mark.parametrize(
    ("pixels", "tags"),
    [
        ("yuv420p", (1, 1)),  # BT.709, limited range
        ("yuv420p", (6, 1)),  # BT.601
        ("yuv420p", (2, 0)),  # untagged
        ("yuv420p", (1, 2)),  # full range
        ("yuv422p", (6, 1)),
        ("yuv444p", (1, 2)),
        ("yuv420p10le", (9, 1)),  # BT.2020
    ],
)
def test_luma_comes_out_to_the_last_bit(
    tmp_path: Path, flickering: FilmConverter, pixels: str, tags: tuple[int, int]
) -> None:
    def tag(stream: Any) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = tags

    deep = pixels.endswith("10le")
    pictures = [each.astype(np.uint16) * 4 + number for number, each in enumerate(greys(12))] if deep else greys(12)
    source = write_film(tmp_path / "film.mkv", pictures, pixels=pixels, set_up=tag)
    convert(source, tmp_path / "new.mkv", flickering)
    np.testing.assert_array_equal(lumas(source), np.stack(pictures))
    np.testing.assert_array_equal(lumas(tmp_path / "new.mkv"), np.stack(pictures))
    with av.open(str(tmp_path / "new.mkv")) as new:
        context = new.streams.video[0].codec_context
        assert (context.colorspace, max(1, context.color_range)) == (tags[0], max(1, tags[1]))
        assert context.pix_fmt in (["yuv420p10le"] if deep else ["yuv420p", "yuvj420p"])


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("tagged", [True, False])
def test_a_grey_film_is_taken_as_full_range(tmp_path: Path, filming: FilmConverter, tagged: bool) -> None:
    def tag(stream: Any) -> None:
        stream.codec_context.color_range = 2 if tagged else 0

    source = write_film(tmp_path / "film.mkv", greys(3), codec="ffv1", pixels="gray", options={}, set_up=tag)
    convert(source, tmp_path / "new.mp4", filming)
    np.testing.assert_array_equal(lumas(tmp_path / "new.mp4"), lumas(source))
    assert read_film(tmp_path / "new.mp4")[0].color_range == 2


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("range_", [1, 2])
def test_colours_are_those_of_the_photo_whatever_the_matrix(
    tmp_path: Path, tiny_model: Path, filming: FilmConverter, matrix: int, pixels: str, range_: int
) -> None:
    """Up to brightness: of two colours with the same R - G and B - G, Y' of BT.709 and BT.601 differ."""

    def tag(stream: Any) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, range_

    picture = np.full((48, 64), 120, np.uint8)
    stored = np.rint(120 * 219 / 255 + 16) if range_ == 1 else 120
    deep = pixels.endswith("10le")
    levels = np.full((48, 64), stored * 4 if deep else stored, np.uint16 if deep else np.uint8)
    source = write_film(tmp_path / "film.mkv", [levels], pixels=pixels, set_up=tag)
    convert(source, tmp_path / "new.mkv", filming)
    frame = read_film(tmp_path / "new.mkv")[0]
    look = look_of(frame, None)
    shown = to_rgb(own_frame(frame, look), look).astype(float) / (257 if deep else 1)
    photo = np.asarray(Colorizer(tiny_model).convert(Photo(picture, "L")).to_image().convert("RGB")).astype(float)
    red, green, blue = shown[24, 32]
    expected = photo[24, 32]
    np.testing.assert_allclose([red - green, blue - green], expected[[0, 2]] - expected[1], atol=3.5)
    red_weight, blue_weight = look.luma_weights
    assert red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue == pytest.approx(120, abs=1)


def test_no_colour_beside_black_and_white(tmp_path: Path, filming: FilmConverter) -> None:
    picture = np.full((48, 64), 16, np.uint8)
    picture[:, 32:] = 235
    convert(write_film(tmp_path / "film.mp4", [picture]), tmp_path / "new.mp4", filming)
    frame = read_film(tmp_path / "new.mp4")[0]
    for index in (1, 2):
        assert np.abs(plane_view(frame, index).astype(int) - 128)[:, [5, 25]].max() <= 1


def test_sound_titles_and_chapters_are_copied(tmp_path: Path, flickering: FilmConverter) -> None:
    def describe(film: Any) -> None:
        film.metadata["title"] = "Größe"
        film.streams.audio[0].metadata["language"] = "ger"
        film.set_chapters(
            [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "Anfang"}}]
        )

    source = write_film(tmp_path / "film.mp4", greys(24), tone=True, prepare=describe)
    convert(source, tmp_path / "new.mp4", flickering)
    assert packets(tmp_path / "new.mp4", "audio") == packets(source, "audio")
    with av.open(str(tmp_path / "new.mp4")) as new:
        assert new.metadata["title"] == "Größe"
        assert new.streams.audio[0].metadata["language"] == "ger"
        assert [chapter["metadata"]["title"] for chapter in new.chapters()] == ["Anfang"]
        assert [stream.type for stream in new.streams if stream.type != "data"] == ["video", "audio"]


def subtitled(path: Path) -> Path:
    """A film with one line of subtitles, in Matroska."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE)
        stream.height, stream.width = 48, 64
        subtitles = film.add_mux_stream("subrip")
        line: Packet[Any] = Packet(b"Guten Tag")
        line.stream, line.pts, line.dts, line.duration, line.time_base = subtitles, 100, 100, 500, Fraction(1, 1000)
        film.mux(line)
        for picture in greys(5):
            film.mux(stream.encode(grey_frame(picture, "yuv420p")))
        film.mux(stream.encode())
    return path


def test_subtitles_are_copied_where_the_container_takes_them(tmp_path: Path, filming: FilmConverter) -> None:
    source = subtitled(tmp_path / "film.mkv")
    assert convert(source, tmp_path / "new.mkv", filming).lost == ()
    assert packets(tmp_path / "new.mkv", "subtitles") == packets(source, "subtitles") != []
    (lost,) = convert(source, tmp_path / "new.mp4", filming).lost
    assert "subtitle" in lost
    assert ".mp4" in lost
    assert len(read_film(tmp_path / "new.mp4")) == 5


def covered(path: Path) -> bytes:
    """Writes a film with a cover, and gives the cover."""
    jpeg = io.BytesIO()
    Image.fromarray(texture(32, 32)).save(jpeg, "JPEG")
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE)
        stream.height, stream.width = 48, 64
        cover = film.add_mux_stream("mjpeg", width=32, height=32)
        cover.disposition = Disposition.attached_pic
        packet: Packet[Any] = Packet(jpeg.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1, RATE)
        for picture in greys(5):
            film.mux(stream.encode(grey_frame(picture, "yuv420p")))
        film.mux([*stream.encode(), packet])
    return jpeg.getvalue()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_is_copied(tmp_path: Path, filming: FilmConverter, suffix: str) -> None:
    content = covered(tmp_path / "film.mp4")
    assert convert(tmp_path / "film.mp4", tmp_path / f"new{suffix}", filming).lost == ()
    with av.open(str(tmp_path / f"new{suffix}")) as new:
        (cover,) = (stream for stream in new.streams if stream.disposition & Disposition.attached_pic)
        assert [bytes(packet) for packet in new.demux(cover) if packet.size] == [content]
    assert len(read_film(tmp_path / f"new{suffix}")) == 5


@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_a_cover_that_has_no_room_is_told(tmp_path: Path, filming: FilmConverter, suffix: str) -> None:
    covered(tmp_path / "film.mp4")
    (lost,) = convert(tmp_path / "film.mp4", tmp_path / f"new{suffix}", filming).lost
    assert "mjpeg" in lost


def test_rotation_aspect_and_tags_are_kept(tmp_path: Path, filming: FilmConverter) -> None:
    def look(stream: Any) -> None:
        stream.set_display_rotation(90)
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(4, 3)
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 6, 5, 6, 1

    source = write_film(tmp_path / "film.mp4", greys(4), set_up=look)
    convert(source, tmp_path / "new.mp4", filming)
    old, new = (look_of(read_film(path)[0], None) for path in (source, tmp_path / "new.mp4"))
    assert old == new
    assert old.turns == 1
    with av.open(str(tmp_path / "new.mp4")) as film:
        assert film.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_the_network_sees_a_turned_film_upright(tmp_path: Path) -> None:
    """What is orange at the top of the upright picture is at its left, or right, as stored."""
    seen: list[np.ndarray] = []

    def chroma(luma: np.ndarray, steady: Any) -> np.ndarray:
        seen.append(luma)
        planes = np.zeros((2, 8, 6), np.float32)
        planes[1, :4] = 40
        return planes

    picture = np.full((48, 64), 120, np.uint8)
    picture[:, 48:] = 200  # the right edge as stored; anticlockwise by a quarter, the top
    source = write_film(tmp_path / "film.mp4", [picture], set_up=lambda stream: stream.set_display_rotation(90))
    convert(source, tmp_path / "new.mp4", FilmConverter(lambda photo, steady: photo, chroma))
    assert seen[0].shape == (64, 48)
    assert seen[0][:10].mean() > 200 > 150 > seen[0][-10:].mean()
    red = plane_view(read_film(tmp_path / "new.mp4")[0], 2).astype(int) - 128
    assert red[:, -10:].mean() > 20
    assert abs(red[:, :10].mean()) < 2


@pytest.mark.usefixtures("lossless")
def test_an_odd_film_gets_its_last_column_and_row_twice(tmp_path: Path, filming: FilmConverter) -> None:
    picture = texture(47, 63)
    source = write_film(tmp_path / "film.mkv", [picture], codec="ffv1", pixels="yuv444p", options={})
    result = convert(source, tmp_path / "new.mp4", filming)
    assert (result.height, result.width) == (48, 64)
    np.testing.assert_allclose(lumas(tmp_path / "new.mp4")[0, :47, :63].astype(int), picture, atol=1)


@pytest.mark.usefixtures("lossless")
def test_a_film_that_is_converted_whole_takes_its_rgb(tmp_path: Path) -> None:
    """What a translator makes is shown: here the negative, in either matrix."""
    negative = FilmConverter(lambda photo, steady: replace(photo, pixels=255 - photo.pixels))
    for matrix in (1, 6):

        def tag(stream: Any, matrix: int = matrix) -> None:
            stream.codec_context.colorspace = matrix

        source = write_film(tmp_path / f"{matrix}.mp4", greys(4), set_up=tag)
        convert(source, tmp_path / f"new{matrix}.mp4", negative)
        shown = (lumas(tmp_path / f"new{matrix}.mp4").astype(float) - 16) / 219
        np.testing.assert_allclose(shown, 1 - (lumas(source).astype(float) - 16) / 219, atol=0.006)


def test_an_rgb_film_becomes_bt709(tmp_path: Path, filming: FilmConverter) -> None:
    grey = np.full((48, 64, 3), 120, np.uint8)
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=RATE)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "bgr0"
        film.mux(stream.encode(av.VideoFrame.from_ndarray(grey).reformat(format="bgr0")))
        film.mux(stream.encode())
    convert(tmp_path / "film.mkv", tmp_path / "new.mp4", filming)
    frame = read_film(tmp_path / "new.mp4")[0]
    assert (frame.colorspace, frame.color_range) == (1, 1)
    assert plane_view(frame).mean() == pytest.approx(120 * 219 / 255 + 16, abs=1)


class Stop(Exception):
    pass


def interrupted_at(frame: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == frame:
            raise Stop

    return progress


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("frame", [10, 27, *(pytest.param(frame, marks=pytest.mark.slow) for frame in (3, 11, 35))])
def test_interrupted_it_goes_on_to_the_same_bytes(tmp_path: Path, flickering: FilmConverter, frame: int) -> None:
    source = write_film(tmp_path / "film.mp4", greys(35), options={"crf": "20", "bf": "3", "g": "12"}, tone=True)
    convert(source, tmp_path / "whole.mp4", flickering)
    with pytest.raises(Stop):
        convert(source, tmp_path / "new.mp4", flickering, progress=interrupted_at(frame))
    assert not (tmp_path / "new.mp4").exists()
    assert (tmp_path / ".new.mp4.img2img").is_dir()
    done: list[int] = []
    convert(source, tmp_path / "new.mp4", flickering, progress=lambda now, total: done.append(now))
    assert done[0] == (frame - 1) // 10 * 10 + 1
    assert (tmp_path / "new.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not (tmp_path / ".new.mp4.img2img").exists()


@pytest.mark.usefixtures("short_segments")
def test_other_settings_or_another_source_begin_anew(tmp_path: Path, flickering: FilmConverter) -> None:
    source = write_film(tmp_path / "film.mp4", greys(25))
    for settings in ({"strength": 1}, {"strength": 2}):
        done: list[int] = []

        def progress(now: int, total: int, done: list[int] = done) -> None:
            done.append(now)
            interrupted_at(15)(now, total)

        with pytest.raises(Stop):
            convert_film(lambda: FilmFile(source), tmp_path / "new.mp4", flickering, settings, progress)
        assert done[0] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("left", [b"", b"PK\x03\x04", "half"])
def test_a_segment_in_pieces_is_made_again(tmp_path: Path, flickering: FilmConverter, left: bytes | str) -> None:
    """As a power cut leaves it: the name is there, the content is not."""
    source = write_film(tmp_path / "film.mp4", greys(25))
    convert(source, tmp_path / "whole.mp4", flickering)
    with pytest.raises(Stop):
        convert(source, tmp_path / "new.mp4", flickering, progress=interrupted_at(25))
    last = tmp_path / ".new.mp4.img2img" / "00001.npz"
    content = last.read_bytes()
    last.write_bytes(left if isinstance(left, bytes) else content[:500] + bytes(len(content) - 900) + content[-400:])
    done: list[int] = []
    convert(source, tmp_path / "new.mp4", flickering, progress=lambda now, total: done.append(now))
    assert done[0] == 11
    assert (tmp_path / "new.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.usefixtures("short_segments")
def test_of_two_that_make_one_film_the_second_is_refused(tmp_path: Path, flickering: FilmConverter) -> None:
    source = write_film(tmp_path / "film.mp4", greys(15))
    with WorkFolder(tmp_path / "new.mp4", {"another": "strength"}):
        with pytest.raises(FilmError, match=r"\.new\.mp4\.img2img: another img2img is making this film"):
            convert(source, tmp_path / "new.mp4", flickering)
        settings = (tmp_path / ".new.mp4.img2img" / "settings.json").read_text()
        assert "another" in settings
    assert convert(source, tmp_path / "new.mp4", flickering).frames == 15


@pytest.mark.parametrize("frames", [0, 1, 12, 29])
@pytest.mark.parametrize("way", ["seek", "a bad index", "count"])
def test_a_place_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int, way: str) -> None:
    source = write_film(tmp_path / "film.mp4", greys(30), options={"crf": "20", "bf": "3", "g": "5"})
    with FilmFile(source) as film:
        whole = [(frame.pts, plane_view(frame).copy(), place) for frame, place in film.frames()]
    place = whole[frames - 1][2] if frames else Place()
    if way == "a bad index":
        monkeypatch.setattr(film_file, "_BEFORE", -10)
    if way == "count":
        place = replace(place, orderly=False)
    with FilmFile(source) as film:
        rest = [(frame.pts, plane_view(frame).copy(), place) for frame, place in film.frames(place)]
    assert [pts for pts, _, _ in rest] == [pts for pts, _, _ in whole[frames:]]
    assert all(np.array_equal(a, b) for (_, a, _), (_, b, _) in zip(rest, whole[frames:], strict=True))
    assert [place.frames for _, _, place in rest] == list(range(frames + 1, 31))


def test_a_film_without_time_stamps_gets_even_ones(tmp_path: Path, filming: FilmConverter) -> None:
    """A bare H.264 stream; it can only be counted, so an interrupted run counts."""
    source = write_film(tmp_path / "film.mp4", greys(30), options={"crf": "20", "bf": "0", "g": "5"})
    (tmp_path / "film.h264").write_bytes(annex_b(source))
    with FilmFile(tmp_path / "film.h264") as film:
        places = [place for _, place in film.frames()]
        assert len(places) == 30
        assert len(set(np.diff([place.last for place in places]))) == 1
    with FilmFile(tmp_path / "film.h264") as film:
        assert [place for _, place in film.frames(places[16])] == places[17:]


@pytest.mark.parametrize("frames", [12, 40])
def test_a_place_is_found_again_where_key_frames_are_rare(tmp_path: Path, frames: int) -> None:
    """A transport stream has no index: a search may land anywhere, and what follows makes sense at a key frame only."""
    options = {"crf": "20", "bf": "3", "g": "60", "x264-params": "scenecut=0"}
    source = write_film(tmp_path / "film.ts", greys(75), options=options)
    with FilmFile(source) as film:
        places = [place for _, place in film.frames()]
    assert len(places) == 75
    with FilmFile(source) as film:
        assert [place for _, place in film.frames(places[frames - 1])] == places[frames:]


def test_an_avi_with_frames_out_of_order_keeps_its_times(tmp_path: Path) -> None:
    """AVI says when a frame is decoded, not when it is shown."""
    source = write_film(tmp_path / "film.avi", greys(30), options={"crf": "20", "bf": "3", "g": "10"})
    with FilmFile(source) as film:
        places = [place for _, place in film.frames()]
    assert [place.last for place in places] == list(range(30))
    assert places[-1].orderly
    for frames in (12, 29):
        with FilmFile(source) as film:
            assert [place for _, place in film.frames(places[frames - 1])] == places[frames:]


@pytest.mark.parametrize("tag", ["soon", "1:2", "00:00:01.00\\0"])
def test_a_duration_that_is_none_is_not_believed(tmp_path: Path, tag: str) -> None:
    source = write_film(tmp_path / "film.mkv", greys(3))
    with FilmFile(source) as film:
        film.stream.metadata["DURATION"] = tag
        assert film.seconds == pytest.approx(3 / RATE, abs=0.01)


def annex_b(film: Path) -> bytes:
    with av.open(str(film)) as container:
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", container.streams.video[0])
        return b"".join(bytes(each) for packet in container.demux(video=0) for each in to_annex_b.filter(packet))


def truncated(tmp_path: Path) -> Path:
    whole = write_film(
        tmp_path / "whole.mkv", [texture(48, 64, seed) for seed in range(72)], options={"crf": "10", "g": "12"}
    )
    return first_half(whole)


def test_what_can_be_read_of_a_damaged_film_is_kept_and_told(tmp_path: Path, flickering: FilmConverter) -> None:
    result = convert(truncated(tmp_path), tmp_path / "new.mkv", flickering)
    assert result.damage is not None
    assert "break off after" in result.damage
    assert 10 < result.frames < 60
    assert len(read_film(tmp_path / "new.mkv")) == result.frames


def test_what_is_no_film_is_refused(tmp_path: Path, filming: FilmConverter) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "empty.mp4"):
        with pytest.raises(FilmError, match=rf"{name}: damaged or incomplete"):
            convert(tmp_path / name, tmp_path / "new.mp4", filming)
    with pytest.raises(FilmError, match=r"missing\.mp4: no such file"):
        convert(tmp_path / "missing.mp4", tmp_path / "new.mp4", filming)
    assert [path.name for path in tmp_path.iterdir()] != [".new.mp4.img2img"]


def test_a_film_without_pictures_is_refused(tmp_path: Path, filming: FilmConverter) -> None:
    film = write_film(tmp_path / "film.mp4", greys(3), tone=True)
    with av.open(str(film)) as old, av.open(str(tmp_path / "sound.mp4"), "w") as new:
        copy = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    with pytest.raises(FilmError, match=r"sound\.mp4: there are no moving pictures"):
        convert(tmp_path / "sound.mp4", tmp_path / "new.mp4", filming)


def test_an_encrypted_film_is_refused(tmp_path: Path, filming: FilmConverter) -> None:
    secret = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "00" * 16, "encryption_kid": "11" * 16}
    source = write_film(tmp_path / "film.mp4", greys(5), container_options=secret)
    with pytest.raises(FilmError, match=r"film\.mp4: the film is encrypted"):
        convert(source, tmp_path / "new.mp4", filming)


def test_a_film_without_frames_is_refused(tmp_path: Path, filming: FilmConverter) -> None:
    content = bytearray(write_film(tmp_path / "film.mp4", greys(3)).read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(FilmError, match=r"film\.mp4: none of its pictures can be read"):
        convert(tmp_path / "film.mp4", tmp_path / "new.mp4", filming)


def test_a_film_that_somebody_takes_away_at_once_is_done(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def taken_away(target: Path) -> Iterator[Any]:
        with written_at_once(target) as stream:
            yield stream
        target.unlink()

    monkeypatch.setattr(film_module, "written_at_once", taken_away)
    source = write_film(tmp_path / "film.mp4", greys(5))
    (outcome,) = img2img.convert(source, tmp_path / "new.mp4", model=tiny_model, keep_times=True)
    assert (outcome.status, outcome.error, outcome.bytes) == ("done", None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_full_disk_leaves_what_is_done(
    tmp_path: Path, filming: FilmConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            raise OSError(errno.ENOSPC, "full")

    @contextmanager
    def full_disk(target: Path) -> Iterator[Full]:
        yield Full()

    source = write_film(tmp_path / "film.mp4", greys(5))
    with monkeypatch.context() as patch:
        patch.setattr(film_module, "written_at_once", full_disk)
        with pytest.raises(FilmError, match=r"new\.mp4: the disk is full"):
            convert(source, tmp_path / "new.mp4", filming)
    done: list[int] = []
    convert(source, tmp_path / "new.mp4", filming, progress=lambda now, total: done.append(now))
    assert done == []
    assert len(read_film(tmp_path / "new.mp4")) == 5
