"""AVIF: read and written with all that came with it, and its depth is told."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from img2img import convert
from img2img.errors import UnreadablePhoto, UnwritablePhoto
from img2img.photo import Photo, file, read_photo, write_photo
from img2img.photo.avif import bits_of, without_orientation
from img2img.photo.formats import has_avif, output_suffix, sniff_format, written_format

pytestmark = pytest.mark.skipif(not has_avif(), reason="this Pillow has no AVIF")

SLOPE = np.add.outer(np.arange(48) * 2, np.arange(64) * 2).astype(np.uint8)
COLOUR = np.dstack([SLOPE, SLOPE[::-1], 255 - SLOPE])
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)


def exif_of(orientation: int | None, *, artist: str = "Niépce") -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x013B], exif[0x8298] = "a camera", artist, "nobody"
    if orientation:
        exif[0x0112] = orientation
    return exif.tobytes()


def avif(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "AVIF", **options)
    return stream.getvalue()


def rewritten(photo: Photo) -> Photo:
    stream = io.BytesIO()
    write_photo(photo, stream, format="AVIF")
    stream.seek(0)
    return read_photo(stream)


@pytest.mark.parametrize("space", ["L", "RGB"])
@pytest.mark.parametrize("transparent", [False, True])
def test_pixels_alpha_profile_exif_and_xmp_come_back(space: str, transparent: bool) -> None:
    from PIL.ImageCms import ImageCmsProfile, createProfile

    photo = Photo(SLOPE if space == "L" else COLOUR, "L" if space == "L" else "RGB", exif=exif_of(1), xmp=XMP)
    alpha = np.where(SLOPE > 100, np.uint8(255), np.uint8(0)) if transparent else None
    icc = ImageCmsProfile(createProfile("sRGB")).tobytes() if space == "RGB" else None
    again = rewritten(replace(photo, alpha=alpha, icc=icc))
    as_read = np.broadcast_to(SLOPE[..., None], COLOUR.shape) if (space, again.space) == ("L", "RGB") else photo.pixels
    assert np.abs(again.pixels.astype(int) - as_read).max() <= 8
    assert (again.xmp, again.icc, again.format) == (XMP, icc, "AVIF")
    assert again.exif is not None
    assert _tags(again.exif) == _tags(exif_of(None))
    if transparent:
        assert again.alpha is not None
        assert np.abs(again.alpha.astype(int) - np.where(SLOPE > 100, 255, 0)).mean() < 1


def _tags(block: bytes) -> dict[int, object]:
    exif = Image.Exif()
    exif.load(block)
    return {tag: value for tag, value in exif.items() if tag != 0x0112}


@pytest.mark.parametrize("order", ["II", "MM"])
def test_the_orientation_goes_and_every_other_byte_of_exif_stays_where_it_was(order: str) -> None:
    exif = Image.Exif()
    exif.endian = "<" if order == "II" else ">"
    exif[0x010F], exif[0x0112], exif[0x013B] = "a camera of a long name", 1, "somebody of a long name"
    block = exif.tobytes()
    shorter = without_orientation(block)
    assert len(shorter) == len(block)
    assert _tags(shorter) == _tags(block)
    again = Image.Exif()
    again.load(shorter)
    assert 0x0112 not in again
    assert without_orientation(shorter) == shorter
    assert without_orientation(b"Exif\0\0II*\0") == b"Exif\0\0II*\0"


@pytest.mark.parametrize("side", range(1, 9))
def test_it_is_turned_upright(side: int) -> None:
    content = avif(Image.fromarray(SLOPE), exif=exif_of(side), quality=95)
    upright = read_photo(io.BytesIO(content))
    assert (upright.width, upright.height) == ((64, 48) if side < 5 else (48, 64))
    again = rewritten(upright)
    assert again.pixels.shape[:2] == upright.pixels.shape[:2]
    assert np.abs(again.pixels.astype(int) - upright.pixels).max() <= 8


@pytest.mark.parametrize(("flags", "bits"), [(0x00, 8), (0x0C, 8), (0x40, 10), (0x60, 12), (0x20, 8)])
def test_depth_is_that_of_the_av1_configuration(flags: int, bits: int) -> None:
    content = bytearray(avif(Image.fromarray(SLOPE)))
    content[content.find(b"av1C") + 6] = flags
    assert bits_of(io.BytesIO(bytes(content))) == bits


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x08free", b"\0\0\0\0meta", b"\0\0\0\x10ftypavif", b"\xff" * 40])
def test_depth_of_what_is_damaged_is_8(content: bytes) -> None:
    assert bits_of(io.BytesIO(content)) == 8


def test_ten_bits_become_eight_and_that_is_said(tmp_path: Path, tiny_model: Path) -> None:
    av = pytest.importorskip("av")
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("no encoder of 10 bits here")
    path = tmp_path / "deep.avif"
    with av.open(str(path), "w", format="avif") as output:
        stream = output.add_stream("libsvtav1", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        frame = av.VideoFrame.from_ndarray(np.dstack([COLOUR[:48, :48, 0]] * 3), "rgb24").reformat(64, 64)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert read_photo(path).lost == ("2 of its 10 bits",)
    (outcome,) = convert(path, model=tiny_model)
    assert outcome.target == tmp_path / "deep.colorized.avif"
    assert "without 2 of its 10 bits" in outcome.flags


def test_names_and_first_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = avif(Image.fromarray(SLOPE))
    assert sniff_format(content[:32]) == "AVIF"
    general = content[:8] + b"mif1" + content[12:]
    assert sniff_format(general[:32]) == "AVIF"
    assert sniff_format(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIF"
    assert sniff_format(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1") is None
    assert (output_suffix(Path("a.AVIF")), output_suffix(Path("a.jpg"), "avif")) == (".AVIF", ".avif")
    assert written_format("AVIF") == "AVIF"
    (tmp_path / "cut.avif").write_bytes(content[:-40])
    with pytest.raises(UnreadablePhoto, match=r"cut\.avif: damaged"):
        read_photo(tmp_path / "cut.avif")
    monkeypatch.setattr(file, "has_avif", lambda: False)
    with pytest.raises(UnreadablePhoto, match="this Pillow reads no AVIF"):
        read_photo(io.BytesIO(content))


def test_moving_ones_are_animations() -> None:
    moving = avif(Image.fromarray(SLOPE), save_all=True, append_images=[Image.fromarray(255 - SLOPE)])
    with pytest.raises(UnreadablePhoto, match="an animation"):
        read_photo(io.BytesIO(moving))
    assert read_photo(io.BytesIO(moving), first_frame=True).width == 64


def test_sides_that_readers_refuse_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePhoto, match="more than AVIF can hold"):
        write_photo(Photo(np.zeros((1, 16385), np.uint8), "L"), tmp_path / "wide.avif")
