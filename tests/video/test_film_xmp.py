"""What a film says of how it was made: where it stands, what stays beside it, and what is no such film."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from film_clips import greys, read_film, write_film

from img2img.batch.task import FilmConverter
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import COMPOSITE, Provenance
from img2img.video.film import convert_film
from img2img.video.film_xmp import film_xmp, xmp_box
from img2img.video.reading.film_file import FilmFile

MADE = Provenance.of_ours(COMPOSITE, "tiny & small", "0" * 64, {"strength": 1.3})
TITLED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>\xc3\x84hren</dc:title>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def convert(source: Path, target: Path, provenance: Provenance | None) -> tuple[str, ...]:
    colours = np.full((2, 8, 8), 10, np.float32)
    converter = FilmConverter(lambda photo, _: photo, lambda luma, _: colours, provenance)
    return convert_film(lambda: FilmFile(source), target, converter, {"source": str(source)}).lost


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv", ".webm"])
def test_film_says_how_it_was_made_and_shows_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    source = write_film(tmp_path / f"a{suffix}", greys(3))
    targets = [tmp_path / f"{name}{suffix}" for name in ("said", "unsaid")]
    for target, provenance in zip(targets, (MADE, None), strict=True):
        assert convert(source, target, provenance) == ()
    assert [provenance_in(film_xmp(target)) for target in targets] == [MADE, None]
    said, unsaid = map(read_film, targets)
    assert len(said) == len(unsaid) == 3
    for one, other in zip(said, unsaid, strict=True):
        assert np.array_equal(one.to_ndarray(), other.to_ndarray())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_xmp_of_the_source_stays_beside_it_and_the_newest_record_counts(tmp_path: Path, suffix: str) -> None:
    source = write_film(tmp_path / f"a{suffix}", greys(3))
    if suffix == ".mp4":
        with source.open("ab") as stream:
            stream.write(xmp_box(TITLED))
    else:
        source = write_film(source, greys(3), prepare=lambda each: each.metadata.update({"xmp": TITLED.decode()}))
    first, second = tmp_path / f"b{suffix}", tmp_path / f"c{suffix}"
    assert convert(source, first, MADE) == ()
    other = Provenance.of_ours(COMPOSITE, "other", "1" * 64, {})
    assert convert(first, second, other) == ()
    for path, made in ((first, MADE), (second, other)):
        xmp = film_xmp(path)
        assert xmp is not None
        assert "Ähren" in xmp.decode()
        assert provenance_in(xmp) == made
    assert convert(source, tmp_path / f"d{suffix}", None) == ()
    assert film_xmp(tmp_path / f"d{suffix}") == TITLED


def in_user_data(film: Path, xmp: bytes) -> Path:
    """The same film, with a packet where cameras put it: in moov/udta/XMP_, moov being the last box."""
    content = film.read_bytes()
    packet = struct.pack(">I", 8 + len(xmp)) + b"XMP_" + xmp
    user_data = struct.pack(">I", 8 + len(packet) + 4) + b"udta" + packet + bytes(4)  # QuickTime's end of a list
    at = content.rindex(b"moov") - 4
    (size,) = struct.unpack(">I", content[at : at + 4])
    assert at + size == len(content)
    film.write_bytes(content[:at] + struct.pack(">I", size + len(user_data)) + content[at + 4 :] + user_data)
    return film


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_xmp_that_a_camera_put_among_the_films_user_data_is_kept(tmp_path: Path, suffix: str) -> None:
    source = in_user_data(write_film(tmp_path / "a.mov", greys(3)), TITLED)
    with av.open(str(source), options={"export_xmp": "1"}) as opened:
        assert opened.metadata["xmp"].encode() == TITLED, "other programs find it there"
    assert convert(source, tmp_path / f"b{suffix}", MADE) == ()
    xmp = film_xmp(tmp_path / f"b{suffix}")
    assert xmp is not None
    assert "Ähren" in xmp.decode()
    assert provenance_in(xmp) == MADE
    assert convert(source, tmp_path / f"c{suffix}", None) == ()
    assert film_xmp(tmp_path / f"c{suffix}") == TITLED


def test_box_of_its_own_is_newer_than_a_cameras(tmp_path: Path) -> None:
    source = in_user_data(write_film(tmp_path / "a.mov", greys(3)), TITLED)
    with source.open("ab") as stream:
        stream.write(xmp_box(b"newer"))
    assert film_xmp(source) == b"newer"


def test_xmp_that_cannot_be_patched_stays_and_is_named(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", greys(3))
    with source.open("ab") as stream:
        stream.write(xmp_box(b"<x:xmpmeta"))
    assert convert(source, tmp_path / "b.mp4", MADE) == ("provenance (damaged XMP)",)
    assert film_xmp(tmp_path / "b.mp4") == b"<x:xmpmeta"


def test_other_programs_read_the_box(tmp_path: Path) -> None:
    convert(write_film(tmp_path / "a.mp4", greys(3)), tmp_path / "b.mp4", MADE)
    with av.open(str(tmp_path / "b.mp4"), options={"export_xmp": "1"}) as opened:
        assert opened.metadata["xmp"].encode() == film_xmp(tmp_path / "b.mp4")


def test_box_behind_one_of_64_bit_length_is_found_and_the_last_of_two_counts(tmp_path: Path) -> None:
    path, start = tmp_path / "a.mp4", struct.pack(">I", 8) + b"ftyp"
    long = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 20) + b"1234"
    path.write_bytes(start + long + xmp_box(b"old") + xmp_box(b"new"))
    assert film_xmp(path) == b"new"


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"\0\0\0\x08ftyp", b"\0\0\0\0ftyp" + xmp_box(b"behind"), bytes.fromhex("1a45dfa3") + b"damaged"],
)
def test_film_without_one_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert film_xmp(tmp_path / "a") is None
