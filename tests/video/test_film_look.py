"""What a film's numbers mean: display matrices, colour tags, side data of any type."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from film_clips import RATE, greys, plane_view, read_film, write_film
from PIL import Image

from img2img.batch.outcome import Outcome
from img2img.batch.task import FilmConverter
from img2img.photo import Photo, read_photo
from img2img.video.look import Look, look_of
from img2img.video.one_film import FilmOptions, convert_one_film
from img2img.video.plan import plan_films
from img2img.video.reading import side_data
from img2img.video.reading.picture_row import frame_of
from img2img.video.reading.side_data import display_matrix, left_out

PICTURE = np.full((48, 64), 60, np.uint8)
PICTURE[:24, 32:] = 120  # top right
PICTURE[24:, 32:] = 180  # bottom right
PICTURE[24:, :32] = 235  # bottom left
# Rotation, anticlockwise, and then mirroring, left to right; and what of the picture's corners comes top left, top
# right, bottom right, bottom left, worked out by hand.
ORIENTATIONS = [
    ((0, False), (60, 120, 180, 235)),
    ((90, False), (120, 180, 235, 60)),
    ((180, False), (180, 235, 60, 120)),
    ((270, False), (235, 60, 120, 180)),
    ((0, True), (120, 60, 235, 180)),
    ((90, True), (180, 120, 60, 235)),
    ((180, True), (235, 180, 120, 60)),
    ((270, True), (60, 235, 180, 120)),
]


def corners(values: np.ndarray) -> tuple[int, ...]:
    height, width = (side // 4 for side in values.shape[:2])
    places = (height, width), (height, -width), (-height, -width), (-height, width)
    return tuple(int(values[place].mean()) for place in places)


def keeping() -> FilmConverter:
    def chroma(luma: np.ndarray, steady: Any) -> np.ndarray:
        planes = np.zeros((2, 8, 8), np.float32)
        planes[1, :4] = 40  # red above
        return planes

    return FilmConverter(lambda photo, steady: photo, chroma)


def convert(source: Path, target: Path, converter: FilmConverter | None = None) -> Outcome:
    (job,) = plan_films([str(source)], str(target), word="new")
    return convert_one_film(job, lambda: converter or keeping(), FilmOptions({}), lambda now, total: None)


@pytest.mark.parametrize(("orientation", "upright"), ORIENTATIONS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_of_a_turned_and_mirrored_film_are_upright(
    tmp_path: Path, orientation: tuple[int, bool], upright: tuple[int, ...], suffix: str
) -> None:
    film = write_film(
        tmp_path / f"film{suffix}", [PICTURE], set_up=lambda stream: stream.set_display_rotation(*orientation)
    )
    assert convert(film, tmp_path / "f_%d.png").status == "done"
    shown = np.asarray(read_photo(tmp_path / "f_1.png").pixels)[..., 1]
    as_stored = np.array(upright) * (255 / 219) - 16 * 255 / 219
    np.testing.assert_allclose(corners(shown), as_stored, atol=2)


@pytest.mark.parametrize("orientation", [each for each, _ in ORIENTATIONS])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_display_matrix_is_kept_and_colours_are_where_the_network_saw_them(
    tmp_path: Path, orientation: tuple[int, bool], suffix: str
) -> None:
    film = write_film(tmp_path / "film.mp4", [PICTURE], set_up=lambda stream: stream.set_display_rotation(*orientation))
    convert(film, tmp_path / f"new{suffix}")
    old, new = (look_of(read_film(path)[0], None) for path in (film, tmp_path / f"new{suffix}"))
    assert new.rotation == old.rotation
    red = new.upright(plane_view(read_film(tmp_path / f"new{suffix}")[0], 2).astype(int) - 128)
    above, below = np.array_split(red, 2)
    assert above[:-2].mean() > 10
    assert abs(below[2:].mean()) < 3


@pytest.mark.parametrize(("orientation", "_"), ORIENTATIONS)
def test_what_is_upright_can_be_stored_again(orientation: tuple[int, bool], _: Any) -> None:
    degrees, mirrored = orientation
    look = Look(64, 48, "yuv420p", 2, 2, 2, False, None, degrees // 90, mirrored)
    values = np.arange(48 * 64 * 3).reshape(48, 64, 3)
    np.testing.assert_array_equal(look.stored(look.upright(values)), values)


def tags(path: Path) -> tuple[int, int, int, int]:
    """Primaries, transfer, matrix, range, as the container and the stream say; unsaid is limited."""
    with av.open(str(path)) as film:
        context = film.streams.video[0].codec_context
        frame = next(film.decode(video=0))
    said = context.color_primaries, context.color_trc, context.colorspace, max(1, context.color_range)
    assert said == (frame.color_primaries, frame.color_trc, frame.colorspace, max(1, frame.color_range))
    return said


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ("gray", (2, 2, 2, 2)),  # PNG's decoder calls it RGB
        ("ya8", (2, 2, 2, 2)),
        ("gray16be", (2, 2, 2, 2)),
        ("monob", (2, 2, 2, 2)),
        ("rgb24", (2, 2, 1, 1)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_no_film_of_ours_is_tagged_as_rgb(tmp_path: Path, pixels: str, expected: tuple[int, ...], suffix: str) -> None:
    grey = np.dstack([np.full((48, 64), 255, np.uint8)] * 3)
    with av.open(str(tmp_path / "film.mov"), "w") as film:
        stream = film.add_stream("png", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        full = 2 if pixels.startswith("gray") else None
        frame = VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=pixels, dst_color_range=full)
        frame.pts, frame.time_base = 0, Fraction(1, RATE)
        film.mux([*stream.encode(frame), *stream.encode(None)])
    convert(tmp_path / "film.mov", tmp_path / f"new{suffix}")
    assert tags(tmp_path / f"new{suffix}") == expected
    (frame,) = read_film(tmp_path / f"new{suffix}")
    white = (255 if expected[3] == 2 else 235) * (4 if "10" in frame.format.name else 1)
    assert plane_view(frame).mean() == pytest.approx(white, abs=4)


def test_depth_that_an_encoder_does_not_take_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = write_film(
        tmp_path / "film.mkv", [PICTURE.astype(np.uint16) * 4], pixels="yuv420p10le", codec="ffv1", options={}
    )
    monkeypatch.setattr("img2img.video.encoding.Encoding.takes", lambda encoding, pixels: pixels == "yuv420p")
    assert convert(film, tmp_path / "new.mp4").flags == ("without more than 8 bits",)
    shown = plane_view(read_film(tmp_path / "new.mp4")[0])
    np.testing.assert_allclose(corners(shown), (60, 120, 180, 235), atol=1)


@pytest.mark.parametrize(
    ("matrix", "primaries", "transfer", "expected"),
    [
        (1, 1, 1, (1, 1, 1)),
        (9, 9, 16, (9, 16, 9)),  # BT.2020, PQ
        (9, 9, 18, (9, 18, 9)),  # HLG
        (5, 5, 6, (5, 6, 5)),
        (0, 1, 13, (1, 13, 2)),  # RGB
        (8, 1, 1, (1, 1, 2)),  # YCgCo
        (3, 3, 3, (2, 2, 2)),  # reserved
        (2, 0, 0, (2, 2, 2)),
        (99, 99, 99, (2, 2, 2)),
    ],
)
def test_colour_tags_are_those_that_hold(matrix: int, primaries: int, transfer: int, expected: tuple[int, ...]) -> None:
    frame = VideoFrame(64, 48, "yuv420p")
    frame.colorspace, frame.color_primaries, frame.color_trc = matrix, primaries, transfer
    look = look_of(frame, None)
    assert (look.primaries, look.transfer, look.matrix) == expected


@pytest.mark.parametrize(
    ("mode", "suffix", "expected"),
    [("L", ".png", (1, 13, 2, 2)), ("L", ".jpg", (1, 13, 2, 2)), ("RGB", ".png", (1, 13, 1, 1))],
)
def test_a_film_of_pictures_is_tagged_as_they_are(
    tmp_path: Path, mode: str, suffix: str, expected: tuple[int, ...]
) -> None:
    """sRGB's primaries and curve."""
    for number, grey in enumerate(greys(2)):
        Image.fromarray(grey).convert(mode).save(tmp_path / f"f_{number}{suffix}")
    assert convert(tmp_path / f"f_%d{suffix}", tmp_path / "new.mp4").status == "done"
    assert tags(tmp_path / "new.mp4") == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("space", ["L", "RGB"])
def test_a_photos_pixels_are_a_frames(space: Any, dtype: Any) -> None:
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (6, 8, 3)).astype(dtype)
    pixels = np.ascontiguousarray(values[..., 0]) if space == "L" else values
    np.testing.assert_array_equal(frame_of(Photo(pixels, space)).to_ndarray(), pixels)


def test_a_jpegs_own_planes_are_a_frames() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    frame = frame_of(Photo(pixels, "YCbCr"))
    assert (frame.colorspace, frame.color_range) == (5, 2)
    for index in range(3):
        np.testing.assert_array_equal(plane_view(frame, index), pixels[..., index])


def test_pictures_of_other_kinds_in_a_row_look_the_same(tmp_path: Path) -> None:
    """Grey, RGB, 16 bit: one full-range film, and the same grey in all of it."""
    grey = np.full((48, 64), 100, np.uint8)
    pictures = [Image.fromarray(grey), Image.fromarray(np.dstack([grey] * 3))]
    pictures.append(Image.fromarray(grey.astype(np.uint16) * 257))
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"f_{number}.png")
    convert(tmp_path / "f_%d.png", tmp_path / "new.mkv")
    np.testing.assert_allclose([plane_view(frame).mean() for frame in read_film(tmp_path / "new.mkv")], 100, atol=1.5)


def test_side_data_that_nobody_has_a_name_for_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyAV gives none, for one of another type, FFmpeg leaves that one out."""

    def look(stream: Any) -> None:
        stream.set_display_rotation(90)

    frame = read_film(write_film(tmp_path / "film.mp4", [PICTURE], set_up=look))[0]
    known = display_matrix(frame)
    assert known is not None
    listed = side_data._listed
    calls: list[VideoFrame] = []

    def failing_at_first(frame: VideoFrame) -> Any:
        calls.append(frame)
        if len(calls) == 1:
            raise ValueError("31 is not a valid Type")
        return listed(frame)

    monkeypatch.setattr(side_data, "_listed", failing_at_first)
    assert display_matrix(frame) == known
    assert len(calls) == 2


def test_every_named_type_of_what_is_left_out_is_one_of_pyavs() -> None:
    assert set(side_data._LEFT_OUT) <= {each.name for each in Type}
    assert left_out(VideoFrame(64, 48, "yuv420p")) == ()
