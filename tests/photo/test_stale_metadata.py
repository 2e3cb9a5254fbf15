"""What describes pixels is turned with them; what was left out of a file is not claimed to be there, and is named."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image
from png_bytes import png_bytes

from img2img.photo import Photo, read_photo, write_photo
from img2img.photo.metadata.exif import PREFIX, orientation
from img2img.photo.metadata.upright import upright_exif
from img2img.photo.metadata.xmp import turned_point, upright_xmp

SIDES = range(1, 9)
GREY = (np.arange(30 * 40).reshape(30, 40) * 3 % 251).astype(np.uint8)


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "JPEG", **options)
    return stream.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 255, marker, len(data) + 2) + data


def with_segments(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def xmp_segment(xmp: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)


def rdf(spaces: dict[str, str], attributes: str = "", inside: str = "") -> bytes:
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes} dc:title="Gr\u00fc\u00dfe">{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def read(data: bytes) -> Photo:
    return read_photo(io.BytesIO(data))


def turned_xmp(packet: bytes, side: int = 1) -> bytes:
    turned = upright_xmp(packet, side)
    assert turned is not None
    return turned


def tags_in(exif: bytes | None) -> Image.Exif:
    assert exif is not None
    tags = Image.Exif()
    tags.load(exif)
    return tags


@pytest.mark.parametrize("side", SIDES)
def test_a_point_goes_where_pillow_takes_its_pixel(side: int) -> None:
    from PIL import ImageOps

    picture = np.zeros((3, 4), np.uint8)
    picture[0, 1] = 255  # its centre is at (1.5, 0.5)
    image = Image.fromarray(picture)
    image.getexif()[0x0112] = side
    row, column = np.argwhere(np.asarray(ImageOps.exif_transpose(image)))[0]
    assert turned_point(1.5, 0.5, side, 4, 3) == (column + 0.5, row + 0.5)


MWG = {
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "st-A": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
}
FORMS = {
    "attributes": '<mwg-rs:Area st-A:x="0.25" st-A:y="0.1" st-A:w="0.3" st-A:h="0.2" st-A:unit="normalized"/>',
    "elements": '<mwg-rs:Area rdf:parseType="Resource"><st-A:h>0.2</st-A:h><st-A:w>0.3</st-A:w><st-A:x>0.25</st-A:x>'
    "<st-A:y>0.1</st-A:y></mwg-rs:Area>",
    "description": "<mwg-rs:Area><rdf:Description st-A:x='0.25' st-A:y='0.1' st-A:w='0.3' st-A:h='0.2'/></mwg-rs:Area>",
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("form", FORMS)
def test_face_regions_turn_with_the_picture(form: str, side: int) -> None:
    sides = '<mwg-rs:AppliedToDimensions stDim:w="40" stDim:h="30" stDim:unit="pixel"/>'
    turned = turned_xmp(rdf(MWG, inside=sides + FORMS[form] * 2), side).decode()
    found = dict(re.findall(r"""st-A:([xywh])(?:=["']|>)([\d.]+)""", turned))
    x, y = turned_point(0.25, 0.1, side)
    size = (0.2, 0.3) if side >= 5 else (0.3, 0.2)
    assert [float(found[name]) for name in "xywh"] == pytest.approx([x, y, *size])
    assert dict(re.findall(r'stDim:([wh])="(\d+)"', turned)) == (
        {"w": "30", "h": "40"} if side >= 5 else {"w": "40", "h": "30"}
    )
    assert "Gr\u00fc\u00dfe" in turned


def test_face_regions_of_a_quarter_turn_by_hand() -> None:
    """The worked example: at a quarter from the left and a tenth from the top, turned to the right."""
    turned = turned_xmp(rdf(MWG, inside=FORMS["attributes"]), 6)
    assert b'st-A:x="0.9" st-A:y="0.25" st-A:w="0.2" st-A:h="0.3"' in turned


def test_microsofts_regions_turn() -> None:
    spaces = {"MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#"}
    turned = turned_xmp(rdf(spaces, 'MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"'), 6).decode()
    found = re.search(r'MPReg:Rectangle="([^"]*)"', turned)
    assert found is not None
    assert [float(value) for value in found[1].split(",")] == pytest.approx([0.4, 0.1, 0.4, 0.3])


def test_sides_in_xmp_swap_and_places_that_cannot_be_turned_go() -> None:
    spaces = {
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "GPano": "http://ns.google.com/photos/1.0/panorama/",
        "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    }
    attributes = 'tiff:Orientation="6" tiff:ImageWidth="40" tiff:ImageLength="30" GPano:CroppedAreaLeftPixels="7"'
    inside = (
        "<exif:PixelXDimension>40</exif:PixelXDimension><exif:PixelYDimension>30</exif:PixelYDimension>"
        "<exif:SubjectArea><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></exif:SubjectArea>"
        "<ext:ImageRegion><rdf:Bag><rdf:li>here</rdf:li></rdf:Bag></ext:ImageRegion><ext:City>Oslo</ext:City>"
    )
    packet = rdf(spaces, attributes, inside)
    turned = turned_xmp(packet, 6).decode()
    for kept in ('tiff:Orientation="1"', 'tiff:ImageLength="40"', 'tiff:ImageWidth="30"', "<ext:City>Oslo</ext:City>"):
        assert kept in turned
    assert "<exif:PixelYDimension>40</exif:PixelYDimension><exif:PixelXDimension>30</exif:PixelXDimension>" in turned
    for gone in ("GPano", "SubjectArea", "ImageRegion", "here"):
        assert gone not in turned
    assert upright_xmp(packet, 1) == packet.replace(b'Orientation="6"', b'Orientation="1"')


def exif_block(order: str) -> bytes:
    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = 6
    exif[256], exif[257], exif[258], exif[277] = 40, 30, 8, 1
    exif[0x011A], exif[0x011B] = 300, 150
    exif[0x013B] = "Dorothea Lange"
    details = exif.get_ifd(0x8769)
    details[0xA002], details[0xA003] = 40, 30
    details[0x9214], details[0xA214] = (10, 6, 8, 4), (10, 6)
    details[0xA20E], details[0xA20F] = 2000.0, 1000.0
    details[0xA005] = {1: "R98", 0x1001: 400, 0x1002: 300}
    return exif.tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("side", SIDES)
def test_exif_of_turned_pixels_is_true(side: int, order: str) -> None:
    block = exif_block(order)
    read_back = tags_in(upright_exif(block, side, (40, 30)))
    details = read_back.get_ifd(0x8769)
    related = read_back.get_ifd(0xA005)
    swapped = side >= 5
    x, y = turned_point(10, 6, side, 40, 30)
    assert not {256, 257, 258, 277} & set(read_back)
    assert (read_back[0x0112], read_back[0x013B]) == (1, "Dorothea Lange")
    assert (read_back[0x011A], read_back[0x011B]) == ((150, 300) if swapped else (300, 150))
    assert (details[0xA002], details[0xA003]) == ((30, 40) if swapped else (40, 30))
    assert details[0x9214] == (x, y, *((4, 8) if swapped else (8, 4)))
    assert details[0xA214] == (x, y)
    assert (details[0xA20E], details[0xA20F]) == ((1000, 2000) if swapped else (2000, 1000))
    assert (related[0x1001], related[0x1002]) == ((300, 400) if swapped else (400, 300))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_format_turns_what_it_says(image_format: str) -> None:
    packet = rdf(MWG, inside=FORMS["attributes"])
    stream = io.BytesIO()
    options: dict[str, object] = {"exif": exif_block("<"), "xmp": packet}
    if image_format == "PNG":
        stream.write(
            png_bytes(
                GREY, before=[(b"eXIf", exif_block("<")[6:]), (b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet)]
            )
        )
    elif image_format == "TIFF":
        tags = {0x0112: 6, 700: packet, 0x8769: {0xA002: 40, 0xA003: 30}}
        Image.fromarray(GREY).save(stream, "TIFF", tiffinfo=tags)
    else:
        Image.fromarray(GREY).save(stream, image_format, **options)
    photo = read(stream.getvalue())
    assert (photo.width, photo.height) == (30, 40)
    assert photo.xmp is not None
    assert b'st-A:x="0.9" st-A:y="0.25"' in photo.xmp
    read_back = tags_in(photo.exif)
    details = read_back.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == (30, 40)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((11, struct.pack("<f", number)) for number in (float("nan"), float("inf"), 6.5)),
        (2, b"six\0"),
        (7, b"6\0\0\0"),
        (3, struct.pack("<HH", 9, 0)),
        (99, b"6\0\0\0"),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_that_is_no_number_turns_nothing(kind: int, value: bytes, image_format: str) -> None:
    count = 4 if kind in (2, 7) else 1
    exif = PREFIX + b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHL", 0x0112, kind, count) + value + bytes(4)
    assert orientation(exif) == 1
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, image_format, exif=exif)
    assert read(stream.getvalue()).width == 40


@pytest.mark.parametrize("value", [b"six", b"0", b"9", b""])
def test_an_orientation_in_xmp_that_is_no_number_turns_nothing(value: bytes) -> None:
    data = with_segments(jpeg(), xmp_segment(b'<x tiff:Orientation="' + value + b'"/>'))
    assert read(data).width == 40


def test_a_tiffs_orientation_that_is_no_number_turns_nothing() -> None:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "TIFF", tiffinfo={0x0112: 1})
    data = stream.getvalue()
    entry = struct.pack("<HHL", 0x0112, 3, 1)
    at = data.index(entry)
    for kind, value in ((2, b"six\0"), (11, struct.pack("<f", float("nan"))), (3, struct.pack("<HH", 77, 0))):
        changed = struct.pack("<HHL", 0x0112, kind, 4 if kind == 2 else 1) + value
        np.testing.assert_array_equal(read(data[:at] + changed + data[at + 12 :]).pixels, GREY)


CAMERA = {"GCamera": "http://ns.google.com/photos/1.0/camera/"}
CONTAINER = {
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
}
GAIN = {"hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/"}
DIRECTORY = (
    '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" '
    'Item:Semantic="Primary"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="{0}" '
    'Item:Semantic="{1}" Item:Length="{2}"/></rdf:li></rdf:Seq></Container:Directory>'
)
FILM = struct.pack(">L4s4sL", 16, b"ftyp", b"mp42", 0) + bytes(500)


def behind(what: str) -> tuple[bytes, str]:
    """A file with something behind or beside its picture, and what that is."""
    small = jpeg()
    if what == "motion film":
        items = DIRECTORY.format("video/mp4", "MotionPhoto", len(FILM))
        packet = rdf(CAMERA | CONTAINER, 'GCamera:MotionPhoto="1" GCamera:SpecialTypeID="kept"', items)
        return with_segments(jpeg(), xmp_segment(packet)) + FILM, what
    if what == "film without XMP":
        return jpeg() + b"\0\0\0\0MotionPhoto_Data" + FILM, "motion film"
    if what == "gain map":
        packet = rdf(GAIN | CONTAINER, 'hdrgm:Version="1.0"', DIRECTORY.format("image/jpeg", "GainMap", len(small)))
        return with_segments(jpeg(), xmp_segment(packet)) + small, what
    if what == "gain map of ISO":
        return with_segments(jpeg(), segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")) + small, "gain map"
    if what == "further pictures":
        stream = io.BytesIO()
        image = Image.fromarray(GREY)
        image.save(stream, "MPO", save_all=True, append_images=[image, image])
        return stream.getvalue(), what
    data = b"http://ns.adobe.com/xmp/extension/\0" + bytes(32) + struct.pack(">LL", 3, 0) + b"<x>"
    packet = rdf({"xmpNote": "http://ns.adobe.com/xmp/note/"}, 'xmpNote:HasExtendedXMP="0123"')
    return with_segments(jpeg(), xmp_segment(packet), segment(0xE1, data)), "extended XMP"


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    "what", ["motion film", "film without XMP", "gain map", "gain map of ISO", "further pictures", "extended XMP"]
)
def test_what_is_left_out_is_named_and_no_longer_claimed(what: str, progressive: bool) -> None:
    data, name = behind(what)
    if progressive:
        data = data.replace(jpeg(), jpeg(progressive=True))
    photo = read(data)
    assert photo.lost == (name,)
    stream = io.BytesIO()
    write_photo(photo, stream)
    result = stream.getvalue()
    for claim in (b"MotionPhoto", b"hdrgm", b"GainMap", b"HasExtendedXMP", b"Container", b"MPF\0", b"ftyp"):
        assert claim not in result
    assert (b"SpecialTypeID" in result) == (what == "motion film")
    assert read(result).lost == ()


def test_nothing_is_named_where_nothing_was() -> None:
    assert read(jpeg()).lost == ()
    assert read(jpeg() + bytes(100)).lost == ()
    stale = rdf(CAMERA, 'GCamera:MotionPhoto="1"')  # the film had gone before
    assert read(with_segments(jpeg(), xmp_segment(stale))).lost == ()
    kept = read(with_segments(jpeg(), xmp_segment(stale))).xmp
    assert kept is not None
    assert b"MotionPhoto" not in kept


def test_thumbnails_in_xmp_go() -> None:
    packet = rdf(
        {"xmp": "http://ns.adobe.com/xap/1.0/"},
        'xmp:Rating="5"',
        "<xmp:Thumbnails><rdf:Alt>abc</rdf:Alt></xmp:Thumbnails>",
    )
    assert b"Thumbnails" not in turned_xmp(packet)
    assert b'xmp:Rating="5"' in turned_xmp(packet)


@pytest.mark.parametrize(
    ("description", "stale"),
    [
        ('<?xml version="1.0"?><!-- note --><OME xmlns="http://www.openmicroscopy.org"/>', True),
        ("ImageJ=1.53\nimages=3\nchannels=3\n", True),
        ('{"shape": [30, 40]}', True),
        ("A harbour at dawn, in ImageJ=blue", False),
    ],
)
def test_a_microscopes_description_of_other_pixels_goes(description: str, stale: bool) -> None:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "TIFF", tiffinfo={270: description, 0x013B: "Me"})
    photo = read(stream.getvalue())
    assert photo.lost == (("the microscope's description",) if stale else ())
    assert photo.exif is not None
    assert (description[:6].encode() in photo.exif) != stale
    assert b"Me\0" in photo.exif


@pytest.mark.parametrize("side", [1, 6])
def test_a_georeference_holds_for_pixels_that_were_not_turned(side: int) -> None:
    stream = io.BytesIO()
    info = {0x0112: side, 33550: (10.0, 10.0, 0.0), 34735: (1, 1, 0, 0)}
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags.tagtype |= {33550: 12, 34735: 3}
    for tag, value in info.items():
        tags[tag] = value
    Image.fromarray(GREY).save(stream, "TIFF", tiffinfo=tags)
    photo = read(stream.getvalue())
    assert photo.lost == (() if side == 1 else ("georeference",))


@pytest.mark.parametrize(
    ("marker", "data"),
    [
        (0xE0, b"JFIF\0"),
        (0xEE, b"Adobe"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"ICC_PROFILE\0\2\3abc"),
        (0xED, b"Photoshop 3.0\x008BIM\4\4"),
    ],
)
def test_a_jpegs_broken_metadata_is_named_and_costs_no_photo(marker: int, data: bytes) -> None:
    photo = read(with_segments(jpeg(), segment(0xFE, b"a comment"), segment(marker, data)))
    np.testing.assert_array_equal(photo.pixels, read(jpeg()).pixels)
    assert len(photo.lost) == 1
    assert photo.jpeg is not None
    assert photo.jpeg.comment == b"a comment"


@pytest.mark.parametrize(
    "data", [b"", b"Exif\0\0", b"Exif\0\0II", b"MPF\0junk", b"http://ns.adobe.com/xap/1.0/\0", b"FPXR\0"]
)
def test_a_jpegs_empty_metadata_costs_no_photo(data: bytes) -> None:
    for marker in (0xE1, 0xE2):
        photo = read(with_segments(jpeg(), segment(marker, data)))
        np.testing.assert_array_equal(photo.pixels, read(jpeg()).pixels)
        assert photo.lost == ()


def test_what_a_heic_holds_beside_its_picture_is_named() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    rgb = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    claim = rdf(CAMERA, 'GCamera:MotionPhoto="1"')
    for count, xmp, lost in ((1, b"", ()), (2, b"", ("further pictures",)), (1, claim, ("motion film",))):
        heif = pillow_heif.from_pillow(rgb)
        for _ in range(count - 1):
            heif.add_from_pillow(rgb)
        stream = io.BytesIO()
        heif.save(stream, xmp=xmp)
        assert read(stream.getvalue()).lost == lost


def test_a_heics_exif_holds_for_the_picture_as_it_is_shown() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003] = 40, 30
    image = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    image.info["exif"] = exif.tobytes()  # saved as a turn of the pixels, too
    stream = io.BytesIO()
    pillow_heif.register_heif_opener()
    image.save(stream, "HEIF")
    photo = read(stream.getvalue())
    assert (photo.width, photo.height) == (30, 40)
    read_back = tags_in(photo.exif)
    assert (read_back.get_ifd(0x8769)[0xA002], read_back.get_ifd(0x8769)[0xA003]) == (30, 40)
