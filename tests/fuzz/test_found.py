"""Files that the fuzzer found, a few hundred bytes each, and what each must come to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits need POSIX")

from fuzz.worker import Worker

_FOUND = Path(__file__).parent / "found"
_PHOTO = ("photo", "conversion")
# File: the targets, each with the verdict and words of its reason.
_EXPECTED: dict[str, tuple[tuple[str, ...], str, str]] = {
    # A converter of numbered pictures made a film of the pictures before it, and said nothing.
    "signature-alone.png": ((*_PHOTO, "sequence"), "refused", "damaged or incomplete"),
    # Half of the rows are there, well packed and with the right checksum; the others came out black.
    "packed-data-of-ten-rows.png": (_PHOTO, "refused", "damaged or incomplete"),
    # Pillow asked the system for as much memory as the chunk's length says.
    "picture-of-4-gigabytes.png": (("photo",), "alone", ""),
    "second-picture-of-two-bytes.gif": (_PHOTO, "refused", "damaged or incomplete"),
    # A second strip has neither place nor length; its rows came out black.
    "one-strip-of-two.tiff": (_PHOTO, "refused", "damaged or incomplete"),
    # The length in the file was asked of the system as memory.
    "tile-of-4-gigabytes.tiff": (_PHOTO, "refused", "damaged or incomplete"),
    # Warnings of decoders stood on stderr, and no file's name with them.
    "tag-beyond-the-end.tiff": (_PHOTO, "refused", ""),
    "canvas-of-144-megapixels.gif": (_PHOTO, "refused", "more than --max-pixels"),
    "exif-beyond-its-end.avif": (_PHOTO, "refused", "damaged or incomplete"),
    # FFmpeg fills the rest of such a picture with what comes, and says nothing.
    "vp8-modes-that-break-off.webm": (("film",), "refused", "its pictures break off"),
    # An animation's second picture says that it is 8388635 x 17039380 pixels large: as much memory was asked for.
    "frame-beyond-its-canvas.png": (("conversion",), "refused", "beyond the canvas"),
    # It ended the whole batch.
    "name-in-no-encoding.tar.gz": (("archive",), "refused", "a photo"),
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as asked:
        yield asked


@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name, (targets, *_) in _EXPECTED.items() for target in targets]
)
def test_what_was_found_is_mended(worker: Worker, name: str, target: str) -> None:
    _, kind, words = _EXPECTED[name]
    suffix = "".join(Path(name).suffixes)
    verdict = worker.verdict(f"fuzz.targets:{target}", (_FOUND / name).read_bytes(), suffix)
    assert (verdict.kind, words in verdict.detail) == (kind, True), verdict


def test_each_file_has_its_line_and_is_small() -> None:
    assert {path.name for path in _FOUND.iterdir()} == set(_EXPECTED)
    assert all(path.stat().st_size < 1000 for path in _FOUND.iterdir())
