"""The boxes of MP4, QuickTime, AVIF and HEIC: where their contents are, and where a file ends."""

import io
import struct

import pytest

from img2img.photo.metadata.iso_boxes import Box, iso_boxes

NAMED = b"uuid" + bytes(range(16))


def box(kind: bytes, contents: bytes = b"") -> bytes:
    return struct.pack(">I", 4 + len(kind) + len(contents)) + kind + contents


def test_contents_follow_the_length_and_the_kind_whatever_their_size() -> None:
    long = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 16 + 5) + b"12345"
    file = box(b"ftyp", b"mif1") + long + box(NAMED, b"abc") + box(b"free")
    found = list(iso_boxes(io.BytesIO(file)))
    assert found == [Box(b"ftyp", 8, 4), Box(b"mdat", 28, 5), Box(NAMED, 57, 3), Box(b"free", 68, 0)]
    assert [file[each.start : each.start + each.length] for each in found] == [b"mif1", b"12345", b"abc", b""]


@pytest.mark.parametrize("end", [b"", b"\0\0\0\x08fre", b"\0\0\0\0mdat", b"\0\0\0\x07mdat", b"\0\0\0\x01mdat"])
def test_it_ends_with_the_file_or_with_a_box_without_an_end(end: bytes) -> None:
    assert list(iso_boxes(io.BytesIO(box(b"ftyp") + end))) == [Box(b"ftyp", 8, 0)]


def test_boxes_inside_another_end_with_it() -> None:
    inner = box(b"one ", b"1") + box(b"two ", b"22")
    for end in (b"", b"\0\0\0\0", b"\0\0\0\x09over", b"\0\0\0\x0cless"):
        file = io.BytesIO(box(b"ftyp") + box(b"outr", inner + end) + box(b"free", b"of the file"))
        outer = list(iso_boxes(file))[1]
        assert list(iso_boxes(file, outer)) == [Box(b"one ", 24, 1), Box(b"two ", 33, 2)]


def test_identifier_that_reaches_beyond_its_box_leaves_no_contents() -> None:
    assert next(iso_boxes(io.BytesIO(struct.pack(">I", 12) + NAMED))) == Box(NAMED, 24, 0)
