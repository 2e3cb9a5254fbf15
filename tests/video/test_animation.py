"""Animations: what is no picture is kept or named, PNGs are shown as the standard says, sizes have a limit."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageSequence
from png_bytes import SIGNATURE, chunk, chunks_in, packed_rows

from img2img.batch.outcome import Outcome
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.video.animation_file import AnimationFile
from img2img.video.kinds import kind_of
from img2img.video.one_film import FilmOptions, convert_one_film
from img2img.video.plan import plan_films

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
SAME = FilmConverter(lambda photo, steady: photo)


def grey(step: int, height: int = 24, width: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    values: np.ndarray = ((rows * 5 + columns * 3 + step * 20) % 256).astype(np.uint8)
    return values


PICTURES = [Image.fromarray(np.repeat(grey(step)[..., None], 3, axis=2)) for step in range(4)]


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x013B] = "Dorothea Lange"
    return tags.tobytes()


def convert(source: Path, target: Path) -> Outcome:
    (job,) = plan_films([str(source)], str(target), word="new")
    outcome = convert_one_film(job, lambda: SAME, FilmOptions({}), lambda done, total: None)
    assert outcome.status == "done", outcome.error
    return outcome


def frame_control(
    number: int, size: tuple[int, int], at: tuple[int, int] = (0, 0), *, ops: tuple[int, int] = (0, 0)
) -> bytes:
    return chunk(b"fcTL", struct.pack(">5L2H2B", number, *size, *at, 1, 10, *ops))


def apng(
    frames: list[tuple[np.ndarray, tuple[int, int], tuple[int, int]]],
    depth: int = 8,
    color_type: int = 0,
    *,
    fallback: np.ndarray | None = None,
    before: bytes = b"",
    plays: int = 0,
) -> bytes:
    """Of samples (h, w, channels), their place, and their ways of disposal and blending, by hand."""
    canvas = (frames[0][0] if fallback is None else fallback).shape
    parts = [SIGNATURE, chunk(b"IHDR", struct.pack(">2L5B", canvas[1], canvas[0], depth, color_type, 0, 0, 0)), before]
    parts.append(chunk(b"acTL", struct.pack(">2L", len(frames), plays)))
    if fallback is not None:
        parts.append(chunk(b"IDAT", packed_rows(fallback, depth)))
    number = 0
    for samples, at, ops in frames:
        parts.append(frame_control(number, (samples.shape[1], samples.shape[0]), at, ops=ops))
        data = packed_rows(samples, depth)
        first = number == 0 and fallback is None
        parts.append(chunk(b"IDAT", data) if first else chunk(b"fdAT", struct.pack(">L", number + 1) + data))
        number += 1 if first else 2
    return b"".join([*parts, chunk(b"IEND", b"")])


def shown(path: Path) -> list[np.ndarray]:
    """As (H, W, 4)."""
    return [np.asarray(each.photo.to_image().convert("RGBA")) for each in AnimationFile(path).pictures()]


@pytest.mark.parametrize("source", [".webp", ".png"])
@pytest.mark.parametrize("target", [".gif", ".webp", ".png"])
def test_metadata_goes_on_or_is_named(tmp_path: Path, source: str, target: str) -> None:
    path = tmp_path / f"a{source}"
    options: dict[str, Any] = {"icc_profile": PROFILE, "exif": exif(), "duration": 80}
    if source == ".webp":
        options |= {"xmp": XMP, "lossless": True}
    else:
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    PICTURES[0].save(path, save_all=True, append_images=PICTURES[1:], **options)
    outcome = convert(path, tmp_path / f"new{target}")
    with Image.open(tmp_path / f"new{target}") as new:
        held = {
            "colour profile": new.info.get("icc_profile"),
            "EXIF": new.getexif().get(0x013B),
            "XMP": new.info.get("xmp") or str(new.info.get("XML:com.adobe.xmp", "")).encode(),
        }
    if target == ".gif":  # of whose XMP Pillow knows nothing
        assert set(outcome.flags) == {"without colour profile", "without EXIF"}
        assert XMP + b"\1\xff\xfe" in (tmp_path / "new.gif").read_bytes()
    else:
        assert outcome.flags == ()
        assert held == {"colour profile": PROFILE, "EXIF": "Dorothea Lange", "XMP": XMP}


@pytest.mark.parametrize(("target", "lost"), [(".gif", ()), (".webp", ("without the comment",)), (".png", ())])
def test_a_gifs_comment_goes_on_or_is_named(tmp_path: Path, target: str, lost: tuple[str, ...]) -> None:
    PICTURES[0].save(
        tmp_path / "a.gif", save_all=True, append_images=PICTURES[1:], duration=80, comment=b"Made in 1998"
    )
    assert convert(tmp_path / "a.gif", tmp_path / f"new{target}").flags == lost
    written = (tmp_path / f"new{target}").read_bytes()
    assert (b"Made in 1998" in written) != bool(lost)


def test_a_gifs_profile_goes_on_or_is_named(tmp_path: Path) -> None:
    PICTURES[0].save(tmp_path / "a.gif", save_all=True, append_images=PICTURES[1:], duration=80, loop=0)
    plain = (tmp_path / "a.gif").read_bytes()
    blocks = b"".join(bytes([len(run)]) + run for run in (PROFILE[i : i + 255] for i in range(0, len(PROFILE), 255)))
    at = plain.index(b"\x21\xff\x0bNETSCAPE")
    (tmp_path / "a.gif").write_bytes(plain[:at] + b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0" + plain[at:])
    assert convert(tmp_path / "a.gif", tmp_path / "new.gif").flags == ("without colour profile",)
    assert convert(tmp_path / "a.gif", tmp_path / "new.webp").flags == ()
    with Image.open(tmp_path / "new.webp") as new:
        assert new.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("source", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("target", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_an_animation_plays_as_often_as_before(tmp_path: Path, source: str, target: str, plays: int) -> None:
    """0 forever. A GIF counts repetitions, and says nothing where there are none."""

    def loop(suffix: str) -> int | None:
        return plays if suffix != ".gif" or plays == 0 else None if plays == 1 else plays - 1

    path = tmp_path / f"a{source}"
    options: dict[str, Any] = {} if loop(source) is None else {"loop": loop(source)}
    PICTURES[0].save(path, save_all=True, append_images=PICTURES[1:], duration=80, **options)
    convert(path, tmp_path / f"new{target}")
    with Image.open(tmp_path / f"new{target}") as new:
        assert new.info.get("loop") == loop(target)
        assert len(ImageSequence.all_frames(new)) == 4


def test_colours_and_texts_of_a_png_go_on_or_are_named(tmp_path: Path) -> None:
    before = chunk(b"gAMA", struct.pack(">L", 100_000)) + chunk(b"tEXt", b"Title\0Harbour")
    (tmp_path / "a.png").write_bytes(apng([(grey(step), (0, 0), (0, 0)) for step in range(3)], before=before))
    assert convert(tmp_path / "a.png", tmp_path / "new.png").flags == ()
    kept = chunks_in((tmp_path / "new.png").read_bytes())
    assert kept[1:3] == [(b"gAMA", struct.pack(">L", 100_000)), (b"tEXt", b"Title\0Harbour")]
    assert convert(tmp_path / "a.png", tmp_path / "new.webp").flags == ("without text (tEXt)",)
    with Image.open(tmp_path / "new.webp") as new:
        assert new.info["icc_profile"]
    assert convert(tmp_path / "a.png", tmp_path / "new.gif").flags == (
        "without tone curve (gAMA)",
        "without text (tEXt)",
    )


@pytest.mark.parametrize("target", [".gif", ".webp", ".png"])
def test_the_fallback_picture_is_no_frame(tmp_path: Path, target: str) -> None:
    frames = [(grey(step), (0, 0), (0, 0)) for step in range(1, 4)]
    (tmp_path / "a.png").write_bytes(apng(frames, fallback=grey(0)))
    outcome = convert(tmp_path / "a.png", tmp_path / f"new{target}")
    if target == ".png":
        assert outcome.flags == ()
        with Image.open(tmp_path / "new.png") as new:
            assert new.info["default_image"]
            np.testing.assert_array_equal(np.asarray(new.convert("L")), grey(0))
    else:
        assert outcome.flags == ("without the picture for programs that show no animations",)
    pictures = shown(tmp_path / f"new{target}")
    assert len(pictures) == 3
    for picture, (expected, _, _) in zip(pictures, frames, strict=True):
        assert np.abs(picture[..., 0].astype(int) - expected).mean() < 3


KINDS = [
    (color_type, depth)
    for color_type, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items()
    for depth in depths
]


@pytest.mark.parametrize("with_fallback", [False, True])
@pytest.mark.parametrize(("color_type", "depth"), KINDS)
def test_every_kind_of_frame_is_shown_as_a_still_would_be(
    tmp_path: Path, color_type: int, depth: int, with_fallback: bool
) -> None:
    import png

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    generator = np.random.default_rng(depth)
    stills = [generator.integers(0, 2**depth, (6, 7, channels)) for _ in range(3)]
    palette = [tuple(map(int, each)) for each in generator.integers(0, 256, (2**depth, 3))] if color_type == 3 else None
    before = chunk(b"PLTE", bytes(sum(palette, ()))) if palette else b""
    frames = [(still, (0, 0), (0, 0)) for still in stills]
    data = apng(frames, depth, color_type, before=before, fallback=stills[2] if with_fallback else None)
    (tmp_path / "a.png").write_bytes(data)
    pictures = shown(tmp_path / "a.png")
    assert len(pictures) == 3
    for picture, still in zip(pictures, stills, strict=True):
        stream = io.BytesIO()
        kind = {"palette": palette} if palette else {"greyscale": color_type in (0, 4), "alpha": color_type in (4, 6)}
        png.Writer(7, 6, bitdepth=depth, **kind).write(stream, still.reshape(6, -1).tolist())
        _, _, rows, info = png.Reader(bytes=stream.getvalue()).asRGBA()
        top = 2 ** info["bitdepth"] - 1
        expected = np.rint(np.array([list(row) for row in rows]).reshape(6, 7, 4) * 255 / top)
        np.testing.assert_array_equal(picture, expected)


def test_frames_build_on_one_another_as_the_standard_says(tmp_path: Path) -> None:
    """Grey, by hand: to background is to nothing, also where no frame has alpha; to previous is to the one before."""
    full, one = np.full((2, 2), 100), np.full((1, 1), 200)
    frames = [(full, (0, 0), (0, 0)), (one, (1, 0), (2, 0)), (one, (0, 1), (1, 0)), (one, (1, 1), (0, 0))]
    (tmp_path / "a.png").write_bytes(apng(frames))
    greys = [[[100, 100], [100, 100]], [[100, 200], [100, 100]], [[100, 100], [200, 100]], [[100, 100], [0, 200]]]
    alphas = [255 * np.ones((2, 2))] * 3 + [[[255, 255], [0, 255]]]
    for picture, expected, alpha in zip(shown(tmp_path / "a.png"), greys, alphas, strict=True):
        np.testing.assert_array_equal(picture[..., 0], expected)
        np.testing.assert_array_equal(picture[..., 3], alpha)


def over(piece: np.ndarray, below: np.ndarray) -> np.ndarray:
    """PNG, 13.16: "over" of values that are not premultiplied."""
    opacity, under = piece[..., 3:] / 255, below[..., 3:] / 255 * (1 - piece[..., 3:] / 255)
    alpha = opacity + under
    colors = (piece[..., :3] * opacity + below[..., :3] * under) / np.where(alpha > 0, alpha, 1)
    return np.concatenate([colors, 255 * alpha], axis=2)


@pytest.mark.parametrize("seed", range(6))
def test_transparent_frames_blend_by_the_formula(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    frames = [(generator.integers(0, 256, (8, 9, 4)), (0, 0), (0, 0))]
    for _ in range(5):
        height, width = generator.integers(1, 6, 2)
        at = int(generator.integers(0, 9 - width)), int(generator.integers(0, 8 - height))
        piece = generator.integers(0, 256, (height, width, 4))
        disposal, blend = map(int, generator.integers(0, (3, 2)))
        frames.append((piece, at, (disposal, blend)))
    (tmp_path / "a.png").write_bytes(apng(frames, color_type=6))
    canvas = np.zeros((8, 9, 4))
    for picture, (piece, (left, top), (disposal, blend)) in zip(shown(tmp_path / "a.png"), frames, strict=True):
        box = slice(top, top + piece.shape[0]), slice(left, left + piece.shape[1])
        before = canvas.copy()
        canvas[box] = over(piece, canvas[box]) if blend else piece
        visible = canvas[..., 3:] > 16  # of what is nearly glass, eight bits hold no colour
        assert np.abs((picture - canvas) * visible).max() < 9
        assert np.abs(picture - canvas)[..., 3].max() < 2
        canvas = before if disposal == 2 else canvas
        canvas[box] = 0 if disposal == 1 else canvas[box]


def test_16_bits_become_8_and_that_is_named(tmp_path: Path) -> None:
    frames = [(grey(step).astype(np.uint16) * 257, (0, 0), (0, 0)) for step in range(3)]
    (tmp_path / "a.png").write_bytes(apng(frames, 16))
    assert convert(tmp_path / "a.png", tmp_path / "new.png").flags == ("without 16 bits",)
    for step, picture in enumerate(shown(tmp_path / "new.png")):
        np.testing.assert_array_equal(picture[..., 0], grey(step))


@pytest.mark.parametrize("damage", ["beyond the canvas", "no data", "no frames"])
def test_a_damaged_png_is_told(tmp_path: Path, damage: str) -> None:
    frames = [(grey(step), (0, 0), (0, 0)) for step in range(2)]
    data = apng(frames)
    if damage == "beyond the canvas":
        data = apng([frames[0], (grey(1), (1, 0), (0, 0))])
    elif damage == "no data":
        at = data.index(b"fdAT")
        data = data[: at - 4] + chunk(b"IEND", b"")
    else:
        data = data.replace(b"fcTL", b"fcXL")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(FilmError, match=r"a\.png: "):
        list(AnimationFile(tmp_path / "a.png").pictures())


def huge(suffix: str, side: int, count: int) -> bytes:
    """A few hundred bytes that say they are so many pictures, so large."""
    if suffix == ".gif":
        one = b"\x21\xf9\4\0\1\0\0\0" + b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
        return b"GIF89a" + struct.pack("<2H3B", side, side, 0x80, 0, 0) + bytes(6) + one * count + b"\x3b"
    if suffix == ".webp":
        stream = io.BytesIO()
        PICTURES[0].save(stream, "WEBP", save_all=True, append_images=PICTURES[1:count], duration=80)
        data = bytearray(stream.getvalue())
        data[24:30] = 2 * (min(side, 16383) - 1).to_bytes(3, "little")
        return bytes(data)
    return apng([(grey(0), (0, 0), (0, 0))] * count).replace(
        chunk(b"IHDR", struct.pack(">2L5B", 32, 24, 8, 0, 0, 0, 0)),
        chunk(b"IHDR", struct.pack(">2L5B", side, side, 8, 0, 0, 0, 0)),
    )


@pytest.mark.parametrize(
    ("suffix", "side"), [(".gif", 30_000), (".png", 30_000), (".png", 2**31 - 1), (".gif", 65_535)]
)
def test_more_pixels_in_all_than_a_photo_may_have_are_refused(tmp_path: Path, suffix: str, side: int) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(huge(suffix, side, 2))
    with pytest.raises(FilmError, match=r"2 pictures of .* megapixels, more than the 1,000"):
        AnimationFile(path)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_the_limit_counts_every_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    PICTURES[0].save(path, save_all=True, append_images=PICTURES[1:], duration=80)
    assert AnimationFile(path, max_pixels=4 * 24 * 32).count == 4
    with pytest.raises(FilmError, match="4 pictures of 32 x 24"):
        AnimationFile(path, max_pixels=4 * 24 * 32 - 1)


@pytest.mark.parametrize("side", [1000, 60_000])
def test_a_gif_that_grows_has_the_same_limit(tmp_path: Path, side: int) -> None:
    """Pictures larger than the canvas that the file begins with."""

    def picture(side: int) -> bytes:
        return b"\x21\xf9\4\0\1\0\0\0\x2c" + struct.pack("<4HB", 0, 0, side, side, 0) + b"\2\2\x44\1\0"

    path = tmp_path / "a.gif"
    path.write_bytes(
        b"GIF89a" + struct.pack("<2H3B", 9, 9, 0x80, 0, 0) + bytes(6) + picture(1) + picture(side) + b"\x3b"
    )
    assert kind_of(str(path)) == "animation"
    with pytest.raises(FilmError, match=r"a\.gif: .*pixels"):
        list(AnimationFile(path, max_pixels=2 * 999 * 999).pictures())
    path.write_bytes(path.read_bytes().replace(picture(1), picture(side)))
    if side == 60_000:  # Pillow opens no such picture: the photo reader says so
        assert kind_of(str(path)) is None


def test_a_webp_of_a_canvas_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(huge(".webp", 16383, 3))
    with pytest.raises(FilmError, match="megapixels"):
        AnimationFile(path, max_pixels=16383 * 16383 - 1)


def test_texts_packed_by_zlib_go_on(tmp_path: Path) -> None:
    packed = (b"zTXt", b"Comment\0\0" + zlib.compress(b"long"))
    (tmp_path / "a.png").write_bytes(apng([(grey(step), (0, 0), (0, 0)) for step in range(2)], before=chunk(*packed)))
    convert(tmp_path / "a.png", tmp_path / "new.png")
    assert packed in chunks_in((tmp_path / "new.png").read_bytes())
