"""photo/png: what stands beside the picture is kept, made true, or named; it never costs the photo."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from PIL import Image, ImageCms
from png_bytes import Chunks, chunk, chunks_in, png_bytes

from img2img.photo import Photo, read_photo, write_photo
from img2img.photo.metadata.matrix_profile import SRGB as SRGB_CHROMATICITIES
from img2img.photo.metadata.matrix_profile import matrix_profile

GREY = np.arange(30 * 40).reshape(30, 40) % 251
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GAMMA = struct.pack(">L", 45455)
PRIMARIES = struct.pack(">8L", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)  # Adobe RGB's
MASTERING = struct.pack(">8H2L", *[13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450], 10_000_000, 50)


def read(before: Chunks | bytes = b"", after: Chunks | bytes = b"", depth: int = 8) -> Photo:
    return read_photo(io.BytesIO(png_bytes(GREY * (257 if depth == 16 else 1), depth, before=before, after=after)))


def coloured(photo: Photo) -> Photo:
    """As converting does."""
    return replace(photo, pixels=np.repeat(photo.pixels[..., None], 3, axis=2), space="RGB")


def written(photo: Photo, image_format: str = "PNG") -> tuple[bytes, tuple[str, ...]]:
    stream = io.BytesIO()
    lost = write_photo(photo, stream, format=image_format)
    return stream.getvalue(), lost


LARGE = b"x" * 1_200_000
LARGE_PROFILE = struct.pack(">L", len(PROFILE) + 1_200_000) + PROFILE[4:] + np.random.default_rng(0).bytes(1_200_000)
BESIDE = {
    "profile of 1.2 MB": chunk(b"iCCP", b"ICC\0\0" + zlib.compress(LARGE_PROFILE)),
    "packed text of 1.2 MB": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LARGE)),
    "packed iTXt of 1.2 MB": chunk(b"iTXt", b"Comment\0\1\0de\0Kommentar\0" + zlib.compress(LARGE)),
    "XMP of 1.2 MB": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x:xmpmeta/>" + LARGE)),
    "EXIF of 1.2 MB": chunk(b"eXIf", b"II*\0\x08\0\0\0" + LARGE),
    "text that is no zlib": chunk(b"zTXt", b"Comment\0\0xyz"),
    "text without a keyword's end": chunk(b"tEXt", b"Comment"),
    "iTXt that breaks off": chunk(b"iTXt", b"Comment\0\0"),
    "profile of method 1": chunk(b"iCCP", b"ICC\0\1" + zlib.compress(PROFILE)),
    "profile that is no zlib": chunk(b"iCCP", b"ICC\0\0xyz"),
    "empty profile": chunk(b"iCCP", b""),
    "transparency too short": chunk(b"tRNS", b"\1"),
    "gamma of 0": chunk(b"gAMA", bytes(4)),
    "gamma too short": chunk(b"gAMA", b"\1"),
    "resolution too short": chunk(b"pHYs", b"\1"),
    "primaries of 0": chunk(b"cHRM", bytes(32)),
    "two of a kind": chunk(b"gAMA", GAMMA) * 2 + chunk(b"sRGB", b"\0") * 2,
    "raw profile that is none": chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  3\nxyz"),
    "a bomb": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)),
    **{
        f"{kind.decode()} with a bad checksum": chunk(kind, data, damaged=True)
        for kind, data in {
            b"tEXt": b"Title\0Harbour",
            b"pHYs": struct.pack(">LLB", 11811, 11811, 1),
            b"iCCP": b"ICC\0\0" + zlib.compress(PROFILE),
            b"eXIf": b"II*\0\x08\0\0\0\0\0",
            b"gAMA": GAMMA,
            b"tRNS": b"\0\0",
            b"tIME": bytes(7),
            b"prVt": b"private",
        }.items()
    },
}


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("what", BESIDE)
def test_no_photo_is_refused_for_what_is_not_its_picture(what: str, after: bool, depth: int) -> None:
    scale = 257 if depth == 16 else 1
    photo = read(**{"after" if after else "before": BESIDE[what]}, depth=depth)
    np.testing.assert_array_equal(photo.pixels, GREY * scale)
    result, lost = written(coloured(photo))
    chunks_in(result)
    with Image.open(io.BytesIO(result)) as image:  # by a program that knows none of our limits
        assert image.size == (40, 30)
    kept = {"packed text of 1.2 MB", "packed iTXt of 1.2 MB", "XMP of 1.2 MB", "EXIF of 1.2 MB", "two of a kind"}
    said = photo.lost + lost
    assert bool(said) == (what not in kept | {"text without a keyword's end"}), said


def test_large_texts_go_on_unpacked() -> None:
    result, _ = written(read(BESIDE["packed text of 1.2 MB"]))
    assert (b"tEXt", b"Comment\0" + LARGE) in chunks_in(result)
    result, _ = written(read(BESIDE["packed iTXt of 1.2 MB"]))
    assert (b"iTXt", b"Comment\0\0\0de\0Kommentar\0" + LARGE) in chunks_in(result)
    assert read(BESIDE["XMP of 1.2 MB"]).xmp == b"<x:xmpmeta/>" + LARGE


def test_a_large_profile_stays_where_there_is_room() -> None:
    photo = coloured(read(BESIDE["profile of 1.2 MB"]))
    for image_format in ("JPEG", "TIFF"):
        result, lost = written(photo, image_format)
        assert read_photo(io.BytesIO(result)).icc == LARGE_PROFILE
        assert not lost
    assert written(photo)[1] == ("colour profile (iCCP) of more than 1 MB",)


KEPT: Chunks = [
    (b"cICP", bytes([9, 16, 0, 1])),
    (b"sRGB", b"\1"),
    (b"gAMA", GAMMA),
    (b"cHRM", PRIMARIES),
    (b"mDCV", MASTERING),
    (b"cLLI", struct.pack(">2L", 10_000_000, 4_000_000)),
    (b"pHYs", struct.pack(">2LB", 2, 1, 0)),
    (b"pHYs", struct.pack(">2LB", 11811, 5906, 1)),
    (b"pHYs", struct.pack(">2LB", 2, 3, 1)),
    (b"tEXt", b"Title\0Harbour at dawn"),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"long")),
    (b"iTXt", b"Author\0\0\0de\0Urheber\0Gr\xc3\xbc\xc3\x9fe"),
    (b"vpAg", struct.pack(">2LB", 40, 30, 0)),
]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("kind", "data"), KEPT)
def test_what_the_numbers_mean_and_texts_stay_in_a_png(kind: bytes, data: bytes, depth: int) -> None:
    photo = read([(kind, data)], depth=depth)
    result, lost = written(coloured(photo))
    assert chunks_in(result)[1] == (kind, data)
    assert not photo.lost + lost


@pytest.mark.parametrize("depth", [8, 16])
def test_chunks_stand_where_the_standard_wants_them(depth: int) -> None:
    """5.6: colours before the picture, once, the profile without sRGB beside it; text after the picture is text too."""
    exif = Image.Exif()
    exif[0x013B] = "Dorothea Lange"
    before = [(b"iCCP", b"ICC\0\0" + zlib.compress(PROFILE)), *(each for each in KEPT if each[0] != b"pHYs")]
    photo = read(before, [(b"tEXt", b"Software\0none"), (b"eXIf", exif.tobytes()[6:])], depth)
    kinds = [kind for kind, _ in groupby(kind for kind, _ in chunks_in(written(coloured(photo))[0]))]
    colors = [b"cICP", b"iCCP", b"gAMA", b"cHRM", b"mDCV", b"cLLI"]
    assert kinds[: len(colors) + 1] == [b"IHDR", *colors]
    assert kinds[-2:] == [b"IDAT", b"IEND"]
    assert b"sRGB" not in kinds
    assert sorted(kinds) == sorted(
        [b"IHDR", *colors, b"tEXt", b"zTXt", b"iTXt", b"vpAg", b"tEXt", b"eXIf", *kinds[-2:]]
    )


def test_a_private_chunk_that_is_not_safe_to_copy_is_named() -> None:
    photo = read([(b"prVT", b"layers"), (b"tIME", bytes(7)), (b"sPLT", b"x\0\x08")])
    assert photo.lost == ("the chunk (prVT)",)
    assert [kind for kind, _ in chunks_in(written(photo)[0])] == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize(
    ("color_type", "depth", "stored", "opaque", "transparent"),
    [
        (0, 4, b"\3", b"\3\3\3", b"\3\3\3\x08"),
        (0, 16, b"\x0c", b"\x0c\x0c\x0c", b"\x0c\x0c\x0c\x10"),
        (2, 8, b"\5\6\5", b"\5\6\5", b"\5\6\5\x08"),
        (4, 8, b"\7\6", b"\7\7\7", b"\7\7\7\6"),
        (6, 8, b"\5\6\5\1", b"\5\6\5", b"\5\6\5\1"),
    ],
)
def test_significant_bits_follow_the_layout(
    color_type: int, depth: int, stored: bytes, opaque: bytes, transparent: bytes
) -> None:
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color_type]
    photo = read_photo(io.BytesIO(png_bytes(np.zeros((2, 2, channels)), depth, color_type, [(b"sBIT", stored)])))
    rgb = replace(photo, pixels=np.zeros((2, 2, 3), photo.pixels.dtype), space="RGB", alpha=None)
    alpha = np.zeros((2, 2), photo.pixels.dtype)
    assert dict(chunks_in(written(rgb)[0]))[b"sBIT"] == opaque
    assert dict(chunks_in(written(replace(rgb, alpha=alpha))[0]))[b"sBIT"] == transparent


@pytest.mark.parametrize(
    ("color_type", "depth", "stored", "colour"),
    [
        (0, 2, struct.pack(">H", 1), (85, 85, 85)),
        (0, 8, struct.pack(">H", 9), (9, 9, 9)),
        (0, 16, struct.pack(">H", 999), (999, 999, 999)),
        (2, 8, struct.pack(">3H", 1, 2, 3), (1, 2, 3)),
        (3, 8, b"\1", (40, 50, 60)),
    ],
)
def test_the_background_follows_the_layout(
    color_type: int, depth: int, stored: bytes, colour: tuple[int, int, int]
) -> None:
    palette = [(b"PLTE", bytes([10, 20, 30, 40, 50, 60]))] if color_type == 3 else []
    samples = np.zeros((2, 2, 3 if color_type == 2 else 1))
    photo = read_photo(io.BytesIO(png_bytes(samples, depth, color_type, [*palette, (b"bKGD", stored)])))
    rgb = replace(photo, pixels=np.zeros((2, 2, 3), photo.pixels.dtype), space="RGB")
    assert dict(chunks_in(written(rgb)[0]))[b"bKGD"] == struct.pack(">3H", *colour)


def test_the_aspect_of_pixels_turns_with_the_photo() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read([(b"eXIf", exif.tobytes()[6:]), (b"pHYs", struct.pack(">2LB", 2, 1, 0))])
    assert (photo.width, photo.height) == (30, 40)
    assert photo.png == ((b"pHYs", struct.pack(">2LB", 1, 2, 0)),)


def test_texts_of_the_old_sides_are_left_out() -> None:
    texts = [(b"tEXt", b"exif:PixelXDimension\x0040"), (b"tEXt", b"tiff:Orientation\0006"), (b"tEXt", b"exif:Model\0X")]
    assert read(texts).png == (texts[2],)


# What other formats make of it: Y of a value, by hand.
def srgb_light(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def video_light(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))


LIGHT: dict[str, tuple[Chunks, Callable[[np.ndarray], np.ndarray]]] = {
    "gAMA 1.0": ([(b"gAMA", struct.pack(">L", 100_000))], lambda x: x),
    "gAMA 1/2.2": ([(b"gAMA", GAMMA)], lambda x: x ** (1 / 0.45455)),
    "cHRM": ([(b"cHRM", PRIMARIES)], srgb_light),
    "sRGB before gAMA": ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">L", 100_000))], srgb_light),
    "cICP, linear": ([(b"cICP", bytes([1, 8, 0, 1]))], lambda x: x),
    "cICP, video": ([(b"cICP", bytes([9, 14, 0, 1])), (b"gAMA", GAMMA)], video_light),
}


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("what", LIGHT)
def test_a_profile_says_in_other_formats_what_the_chunks_said(what: str, image_format: str) -> None:
    """Little CMS reads it; greys in any of these spaces are greys of sRGB."""
    chunks, light = LIGHT[what]
    result, lost = written(coloured(read(chunks)), image_format)
    assert not lost
    icc = read_photo(io.BytesIO(result)).icc
    assert icc is not None
    greys = np.arange(256, dtype=np.uint8)
    image = Image.fromarray(np.repeat(greys[None, :, None], 3, axis=2))
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"), "RGB", "RGB"
    )
    seen = np.asarray(ImageCms.applyTransform(image, transform)).astype(float)
    expected = light(greys / 255)
    assert np.abs(srgb_light(seen / 255) - expected[None, :, None]).max() < 0.008


def test_primaries_become_colorants() -> None:
    """Adobe RGB's, adapted to D50, as its published profile has them."""
    icc = matrix_profile([(0.3127, 0.3290), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], (2.19921875,))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
    columns = [profile.red_colorant, profile.green_colorant, profile.blue_colorant]
    expected = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
    for column, by_adobe in zip(columns, expected, strict=True):
        assert column is not None
        assert column[0] == pytest.approx(by_adobe, abs=0.0005)
    assert profile.profile_description == "made of a PNG's primaries and tone curve"


def test_a_grey_profile_is_made_for_a_grey_photo() -> None:
    result, lost = written(read([(b"gAMA", struct.pack(">L", 100_000))]), "JPEG")
    assert not lost
    with Image.open(io.BytesIO(result)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])).profile
    assert profile.xcolor_space.strip() == "GRAY"


def test_primaries_that_span_nothing_are_no_profile() -> None:
    with pytest.raises(ValueError, match="span no colours"):
        matrix_profile([SRGB_CHROMATICITIES[0], *[(0.3, 0.3)] * 3], (2.2,))
    with pytest.raises(ValueError, match="without luminance"):
        matrix_profile([(0.3, 0.0), *SRGB_CHROMATICITIES[1:]], (2.2,))


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([(b"cICP", bytes([9, 16, 0, 1]))], ("colour space (cICP)",)),
        ([(b"cHRM", struct.pack(">8L", *[30000] * 8))], ("primaries (cHRM)",)),
        ([(b"tEXt", b"Title\0Harbour"), (b"zTXt", b"a\0\0" + zlib.compress(b"b"))], ("text (tEXt)", "text (zTXt)")),
        ([(b"sBIT", b"\5")], ("significant bits (sBIT)",)),
        ([(b"cLLI", bytes(8))], ("light levels (cLLI)",)),
        ([(b"pHYs", struct.pack(">2LB", 2, 1, 0))], ("resolution (pHYs)",)),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "WEBP", "BMP"])
def test_what_another_format_cannot_say_is_named(chunks: Chunks, said: tuple[str, ...], image_format: str) -> None:
    assert written(coloured(read(chunks)), image_format)[1] == said


def test_profiles_before_and_behind_cicp() -> None:
    """A grey profile brings the pixels to sRGB, unless cICP says what they are."""
    linear = matrix_profile(SRGB_CHROMATICITIES, (1.0,), grey=True)
    profile = (b"iCCP", b"ICC\0\0" + zlib.compress(linear))
    photo = read([profile, (b"gAMA", struct.pack(">L", 100_000))])
    assert photo.png == ()
    assert photo.pixels[3, 8] == 188  # 128 of 255 in linear light
    photo = read([profile, (b"cICP", bytes([1, 8, 0, 1]))])
    np.testing.assert_array_equal(photo.pixels, GREY)
    assert (photo.icc, photo.png) == (None, ((b"cICP", bytes([1, 8, 0, 1])),))


@pytest.mark.parametrize("kinds", list(pairwise(["exif", "app1", "xmp", "icc", "icm"])))
def test_blocks_in_hexadecimal_digits_are_what_they_hold(kinds: tuple[str, str]) -> None:
    blocks = {
        "exif": b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHL4s", 0x13B, 2, 4, b"Me.\0") + bytes(4),
        "app1": b"http://ns.adobe.com/xap/1.0/\0<x/>",
        "xmp": b"<x/>",
        "icc": PROFILE,
        "icm": PROFILE,
    }
    for kind in kinds:
        block = blocks[kind]
        photo = read(
            [
                (
                    b"zTXt",
                    f"Raw profile type {kind}\0\0".encode()
                    + zlib.compress(f"\n{kind}\n{len(block)}\n{block.hex()}\n".encode()),
                )
            ]
        )
        held = {"exif": photo.exif, "app1": photo.xmp, "xmp": photo.xmp}.get(kind, photo.icc)
        assert held == (block.partition(b"\0")[2] if kind == "app1" else block)
        assert photo.png == ()


def test_a_jpegs_comment_becomes_text() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", comment=b"Gr\xfc\xdfe")
    result, lost = written(read_photo(io.BytesIO(stream.getvalue())), "PNG")
    assert (b"iTXt", "Comment\0\0\0\0\0Grüße".encode()) in chunks_in(result)
    assert not lost
