"""photo/tiff/pages.py, tiff/sensor.py, raw.py: the full-size page is the photo, and a camera's raw file is none."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo, read_photo
from img2img.photo.metadata.tiff_directory import TiffEntry, longs, pack_tree, read_directory, read_header, shorts

REDUCED, MASK = 1, 4
Entries = dict[int, TiffEntry]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


BIG, SMALL = noise(24, 32, 3), noise(6, 8, 3, seed=1)


def page(pixels: np.ndarray, at: int, **tags: TiffEntry) -> Entries:
    count = pixels.shape[2] if pixels.ndim == 3 else 1
    entries = {256: longs("<", pixels.shape[1]), 257: longs("<", pixels.shape[0]), 258: shorts("<", *[8] * count)}
    entries |= {259: shorts("<", 1), 262: shorts("<", 2 if count == 3 else 1), 273: longs("<", at)}
    entries |= {277: shorts("<", count), 278: longs("<", pixels.shape[0]), 279: longs("<", pixels.nbytes)}
    return entries | {int(name[1:]): entry for name, entry in tags.items()}


def tiff(*chain: tuple[np.ndarray, dict[str, TiffEntry], list[tuple[np.ndarray, dict[str, TiffEntry]]]]) -> bytes:
    """Pages that follow each other: pixels, tags, and pages below."""
    body = bytearray(8)

    def directory(pixels: np.ndarray, tags: dict[str, TiffEntry]) -> int:
        at = len(body)
        body.extend(pixels.tobytes() + b"\0" * (pixels.nbytes % 2))
        table = len(body)
        body.extend(pack_tree(dict(sorted(page(pixels, at, **tags).items())), "<", table))
        body.extend(b"\0" * (len(body) % 2))
        return table

    link = 4
    for pixels, tags, below in chain:
        places = [directory(*each) for each in below]
        at = directory(pixels, tags | ({"t330": longs("<", *places)} if places else {}))
        struct.pack_into("<L", body, link, at)
        link = at + 2 + 12 * struct.unpack_from("<H", body, at)[0]
    body[:4] = b"II*\0"
    return bytes(body)


def kind(number: int) -> dict[str, TiffEntry]:
    return {"t254": longs("<", number)}


def read(data: bytes, **options: bool) -> Photo:
    return read_photo(io.BytesIO(data), name="photo.tif", **options)


@pytest.mark.parametrize(
    "data",
    [
        tiff((SMALL, kind(REDUCED), []), (BIG, kind(0), [])),
        tiff((SMALL, {"t255": shorts("<", 2)}, []), (BIG, {"t255": shorts("<", 1)}, [])),
        tiff((SMALL, kind(REDUCED), [(BIG, kind(0))])),
        tiff((SMALL, {}, [(BIG, kind(0))])),
        tiff((SMALL, kind(REDUCED), [(SMALL, kind(REDUCED)), (BIG, kind(0))])),
        tiff((BIG, kind(0), [(SMALL, kind(REDUCED))])),
        tiff((BIG, {}, []), (SMALL, kind(REDUCED), [])),
        tiff((BIG, {}, []), (SMALL, {"t513": longs("<", 8)}, [])),
        tiff((BIG, kind(REDUCED), [])),
        tiff((SMALL, kind(REDUCED), []), (BIG, kind(REDUCED), [])),
    ],
    ids=[
        "thumbnail first",
        "thumbnail first, old tag",
        "photo below the thumbnail",
        "photo below a page that says nothing",
        "two thumbnails",
        "pyramid",
        "thumbnail last",
        "thumbnail as in EXIF",
        "one page that calls itself small",
        "two that do",
    ],
)
@pytest.mark.parametrize("first_frame", [False, True])
def test_the_full_size_page_is_the_photo(data: bytes, first_frame: bool) -> None:
    np.testing.assert_array_equal(read(data, first_frame=first_frame).pixels, BIG)


def test_what_the_first_directory_says_of_the_photo_holds_for_the_page_below() -> None:
    artist = TiffEntry(2, b"Dorothea Lange\0")
    data = tiff((SMALL, {**kind(REDUCED), "t274": shorts("<", 6), "t315": artist}, [(BIG, kind(0))]))
    photo = read(data)
    np.testing.assert_array_equal(photo.pixels, np.rot90(BIG, -1))
    exif = Image.Exif()
    exif.load(photo.exif or b"")
    assert exif[315] == "Dorothea Lange"


def test_two_full_size_pages_are_two_photos() -> None:
    data = tiff((SMALL, kind(REDUCED), []), (BIG, kind(0), []), (BIG[::-1], kind(0), []))
    with pytest.raises(UnreadablePhoto, match="several pages; --first-frame takes the first"):
        read(data)
    np.testing.assert_array_equal(read(data, first_frame=True).pixels, BIG)


def test_a_mask_is_no_page_and_is_named_when_it_is_left_out() -> None:
    photo = read(tiff((BIG, {}, []), (noise(24, 32), {**kind(MASK), "t262": shorts("<", 4)}, [])))
    np.testing.assert_array_equal(photo.pixels, BIG)
    assert photo.lost == ("transparency mask",)


def test_directories_that_point_to_themselves_end() -> None:
    data = bytearray(tiff((BIG, {"t330": longs("<", 0)}, [])))
    header = read_header(io.BytesIO(data))
    directory = read_directory(io.BytesIO(data), header, header.first)
    struct.pack_into("<L", data, directory.entries[330].offset, header.first)
    struct.pack_into("<L", data, directory.next_at, header.first)
    np.testing.assert_array_equal(read(bytes(data)).pixels, BIG)


def test_the_pixel_limit_is_that_of_the_page_that_is_decoded() -> None:
    data = tiff((SMALL, kind(REDUCED), [(BIG, kind(0))]))
    with pytest.raises(UnreadablePhoto, match=r"32 x 24 pixels are .* more than --max-pixels 100"):
        read_photo(io.BytesIO(data), max_pixels=100)
    assert read_photo(io.BytesIO(data), max_pixels=32 * 24).width == 32


@pytest.mark.parametrize("offset", [8, 40])
def test_tiles_far_larger_than_the_photo_take_no_memory(offset: int) -> None:
    data = tiff((BIG, {"t322": longs("<", 2**31), "t323": longs("<", 2**31), "t324": longs("<", offset)}, []))
    with pytest.raises(UnreadablePhoto, match="tiles of 2147483648 x 2147483648"):
        read(data)


FILTER_ARRAY = {"t262": shorts("<", 32803)}
RAW_PAGES = {
    "NEF": tiff((SMALL, kind(REDUCED), [(noise(24, 32), {**kind(0), **FILTER_ARRAY})])),
    "DNG": tiff((SMALL, {**kind(REDUCED), "t50706": TiffEntry(1, b"\1\4\0\0")}, [(BIG, kind(0))])),
    "linear DNG": tiff((SMALL, kind(REDUCED), [(BIG, {**kind(0), "t262": shorts("<", 34892)})])),
    "Kodak's TIF": tiff((SMALL, kind(REDUCED), [(noise(24, 32), {**kind(0), "t259": shorts("<", 65000)})])),
    "Canon's TIF": tiff((noise(24, 32), {"t259": shorts("<", 6), "t258": shorts("<", 12)}, [])),
    "PEF": tiff((noise(24, 32), FILTER_ARRAY, [])),
    "ARW": tiff((SMALL, kind(REDUCED), []), (noise(24, 32), {"t259": shorts("<", 32767)}, [])),
    "filter array": tiff((BIG, {}, [(noise(24, 32), {"t33422": TiffEntry(1, b"\0\1\1\2")})])),
}


@pytest.mark.parametrize("data", RAW_PAGES.values(), ids=RAW_PAGES.keys())
@pytest.mark.parametrize("first_frame", [False, True])
def test_a_file_that_holds_a_sensors_values_is_a_raw_file_whatever_its_thumbnail(
    data: bytes, first_frame: bool
) -> None:
    with pytest.raises(UnreadablePhoto, match=r"photo\.tif: a camera raw file: develop it first, with RawTherapee"):
        read(data, first_frame=first_frame)


@pytest.mark.parametrize(
    "start",
    [
        b"II*\0\x10\0\0\0CR\2\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"FUJIFILMCCD-RAW 0201",
        b"IIU\0\x18\0\0\0",
        b"IIRO\x08\0\0\0",
        b"IIRS\x08\0\0\0",
        b"MMOR\0\0\0\x08",
        b"FOVb\1\0\2\0",
        b"\0MRM\0\0\0\0",
        b"II\x1a\0\0\0HEAPCCDR",
    ],
    ids=["CR2", "CR3", "RAF", "RW2", "ORF", "ORF, second", "ORF, big-endian", "X3F", "MRW", "CRW"],
)
def test_other_raw_files_are_known_by_their_first_bytes(start: bytes) -> None:
    with pytest.raises(UnreadablePhoto, match="a camera raw file: develop it first"):
        read(start + bytes(100))


def test_tifffile_takes_the_same_page() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(SMALL, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(BIG, photometric="rgb", subfiletype=0)
    np.testing.assert_array_equal(read(stream.getvalue()).pixels, BIG)


def test_directories_that_share_their_values_do_not_fill_the_memory() -> None:
    data = bytearray(tiff((BIG, {f"t{60000 + i}": TiffEntry(1, bytes(8)) for i in range(200)}, [])))
    data += bytes(100_000)
    header = read_header(io.BytesIO(data))
    for i in range(200):
        at = data.index(struct.pack("<HHL", 60000 + i, 1, 8), header.first)
        struct.pack_into("<LL", data, at + 4, 90_000, 8)
    with pytest.raises(UnreadablePhoto, match="directories that share their values"):
        read(bytes(data))
