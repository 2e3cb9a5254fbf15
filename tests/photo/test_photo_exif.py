"""EXIF and XMP for upright pixels."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from img2img.photo.metadata.exif import PREFIX, fitted_exif, orientation, with_prefix
from img2img.photo.metadata.upright import upright_exif
from img2img.photo.metadata.xmp import upright_xmp

THUMBNAIL = b"\xff\xd8 a small JPEG \xff\xd9"
MAKER_NOTE = b"maker's own offsets"


def block(order: str, side: int, tail: bytes = b"") -> bytes:
    """By hand: IFD0 (orientation), EXIF (maker note, pixel dimensions), IFD1 with a thumbnail."""
    exif_at = 8 + 2 + 2 * 12 + 4
    note_at = exif_at + 2 + 3 * 12 + 4
    second_at = note_at + len(MAKER_NOTE) + 1
    thumbnail_at = second_at + 2 + 2 * 12 + 4

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        short = struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "L", value)
        return struct.pack(order + "HHL", tag, kind, count) + short

    data = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    data += struct.pack(order + "H", 2) + entry(0x0112, 3, 1, side) + entry(0x8769, 4, 1, exif_at)
    data += struct.pack(order + "L", second_at)
    data += struct.pack(order + "H", 3) + entry(0x927C, 7, len(MAKER_NOTE), note_at)
    data += entry(0xA002, 4, 1, 4000) + entry(0xA003, 3, 1, 3000) + struct.pack(order + "L", 0)
    data += MAKER_NOTE + b"\0"
    data += struct.pack(order + "H", 2) + entry(0x0201, 4, 1, thumbnail_at) + entry(0x0202, 4, 1, len(THUMBNAIL))
    return PREFIX + data + struct.pack(order + "L", 0) + THUMBNAIL + tail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("side", range(1, 9))
def test_orientation_is_reset_the_thumbnail_gone_and_the_maker_note_where_it_was(order: str, side: int) -> None:
    before = block(order, side)
    assert orientation(before) == side
    after = upright_exif(before, side)
    assert after is not None
    assert orientation(after) == 1
    assert THUMBNAIL not in after
    assert after.find(MAKER_NOTE) == before.find(MAKER_NOTE)
    read = Image.Exif()
    read.load(after)
    assert read.get_ifd(1) == {}
    details = read.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == ((3000, 4000) if side >= 5 else (4000, 3000))


def test_what_lies_behind_the_thumbnail_stays_where_it_is() -> None:
    before = block("<", 1, tail=b"more maker's data")
    after = upright_exif(before)
    assert after is not None
    assert THUMBNAIL not in after
    assert after.endswith(b"more maker's data")
    assert len(after) == len(before)


def test_a_block_that_needs_nothing_is_returned_byte_for_byte() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Dorothea Lange"
    assert upright_exif(exif.tobytes(), 6) == exif.tobytes()


@given(st.binary(max_size=200), st.booleans())
def test_damaged_blocks_raise_nothing(data: bytes, swapped: bool) -> None:
    for exif in (PREFIX + data, PREFIX + b"II*\0\x08\0\0\0" + data):
        assert 1 <= orientation(exif) <= 8
        assert upright_exif(exif, 6 if swapped else 1, (3, 4)) is not None


@given(st.integers(0, 170), st.integers(0, 255))
def test_a_block_with_one_wrong_byte_raises_nothing(position: int, value: int) -> None:
    damaged = bytearray(block(">", 6))
    damaged[position % len(damaged)] = value
    upright_exif(bytes(damaged), 6)
    fitted_exif(bytes(damaged), 100)


@pytest.mark.parametrize(
    "pattern",
    [b'tiff:Orientation="%d"', b"<tiff:Orientation>%d</tiff:Orientation>", b"tiff:Orientation = '%d'"],
)
def test_xmp_says_upright_and_keeps_every_other_byte(pattern: bytes) -> None:
    packet = b"<x>before " + pattern + b" after</x>"
    assert orientation(None, packet % 8) == 8
    assert upright_xmp(packet % 8) == packet % 1
    assert upright_xmp(b"<x/>") == b"<x/>"
    assert upright_xmp(None) is None


def test_the_largest_values_go_first_when_a_block_must_fit() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description " * 1000
    exif[0x013B] = "Dorothea Lange"
    exif.get_ifd(0x8769)[0x927C] = b"\1" * 20_000
    exif.get_ifd(0x8769)[0x9003] = "1936:03:09 12:00:00"
    fitted = fitted_exif(exif.tobytes(), 1000)
    assert fitted is not None
    assert len(fitted) <= 1000
    read = Image.Exif()
    read.load(fitted)
    assert read[0x013B] == "Dorothea Lange"
    assert read.get_ifd(0x8769)[0x9003] == "1936:03:09 12:00:00"
    assert 0x010E not in read
    assert fitted_exif(exif.tobytes(), 65_533) == exif.tobytes()


def test_the_prefix_is_added_once() -> None:
    assert with_prefix(b"II*\0") == PREFIX + b"II*\0"
    assert with_prefix(PREFIX + b"II*\0") == PREFIX + b"II*\0"
    assert with_prefix(b"") is None


def test_exif_written_by_imagemagick_as_text_is_found() -> None:
    from PIL.PngImagePlugin import PngInfo

    from img2img.photo import read_photo

    exif = block("<", 6)
    text = PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(exif):8}\n{exif.hex()}\n", zip=True)
    stream = io.BytesIO()
    Image.new("L", (3, 2)).save(stream, "PNG", pnginfo=text)
    stream.seek(0)
    photo = read_photo(stream)
    assert (photo.width, photo.height) == (2, 3)
    assert orientation(photo.exif) == 1
