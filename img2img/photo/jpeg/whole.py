"""Whether a JPEG is whole, of which libjpeg says nothing: it makes up what is missing behind an end, in grey.

A picture is whole when it stays the same whatever bits are put behind its last ones.
"""

from __future__ import annotations

import io
import random
from functools import lru_cache

from PIL import Image, ImageChops

from img2img.photo.jpeg.file import QuietJpegFile
from img2img.photo.jpeg.frame import EOI, HUFFMAN_DCT, JpegFrame, end_of_picture, has_all_scans

_CUT = "it ends inside the picture"
_FEW_ZEROS = 16  # bytes
_SEEDS = (1, 2, 3)


def with_end(data: bytes, frame: JpegFrame) -> bytes:
    """The file with the marker of its end where only that is missing; ValueError where more is."""
    if data.endswith(EOI) or end_of_picture(data) is not None:
        return data
    if frame.process in HUFFMAN_DCT:
        picture = _without_padding(data)
        if has_all_scans(picture, frame) and _is_whole(picture):
            return picture + EOI
        if has_all_scans(data, frame) and _ends_in_zeros(data):
            return data + EOI
    raise ValueError(_CUT)


def check_last_block(image: Image.Image, data: bytes, frame: JpegFrame) -> None:
    """ValueError for a decoded picture that was cut before an end marker. `data` is the file's.

    What is made up is flat: a closer look is needed only where the last block is, zeros stand before the end, or a
    progressive picture was not sent to its last bit (which may be meant).
    """
    if frame.process not in HUFFMAN_DCT:
        return
    end = end_of_picture(data) or 0
    is_suspicious = (
        data[:end].endswith(bytes(4))
        or _has_flat_end(image)
        or (frame.is_progressive and not has_all_scans(data, frame))
    )
    if not (end and is_suspicious) or _is_one_color(image):
        return
    if not _is_whole(_without_padding(data[:end])) and not _ends_in_zeros(data[:end]):
        raise ValueError(_CUT)


def _is_one_color(image: Image.Image) -> bool:
    """Nothing of such a picture can be missing: what is made up would be grey."""
    return image.getcolors(1) is not None


def _has_flat_end(image: Image.Image) -> bool:
    left, top = (image.width - 1) // 8 * 8, (image.height - 1) // 8 * 8
    return _is_one_color(image.crop((left, top, image.width, image.height)))


def _ends_in_zeros(picture: bytes) -> bool:
    """Whether zeros at the end are the picture's own, as an even colour is coded: few, or needed to the last one."""
    stripped = picture.rstrip(b"\0")
    if len(stripped) == len(picture) or not _is_whole(picture):
        return False
    is_few = len(picture) - len(stripped) <= _FEW_ZEROS
    return is_few or _is_one_color(_decoded(picture + EOI)) or not _is_whole(picture[:-1])


def _is_whole(picture: bytes) -> bool:
    try:
        decoded = _decoded(picture + EOI)
        return all(_are_equal(decoded, _decoded(picture + _tail(seed) + EOI)) for seed in _SEEDS)
    except OSError:  # not one bit of the picture is there
        return False


@lru_cache(maxsize=len(_SEEDS))
def _tail(seed: int) -> bytes:
    """Noise that decodes to something, also where a restart marker is next: no other byte of it is 0xFF."""
    noise = random.Random(seed)
    parts = [noise.randbytes(64).replace(b"\xff", b"\x55") for _ in range(9)]
    return parts[0] + b"".join(b"\xff" + bytes([0xD0 + i]) + parts[i + 1] for i in range(8))


def _without_padding(data: bytes) -> bytes:
    """Less zeros, but for the one that belongs to a byte of 0xFF; less the first half of an end marker."""
    stripped = data.rstrip(b"\0")
    if not stripped.endswith(b"\xff"):
        return stripped
    return stripped + b"\0" if len(stripped) < len(data) else stripped[:-1]


def _decoded(data: bytes) -> Image.Image:
    image = QuietJpegFile(io.BytesIO(data), "")
    image.load()
    return image


def _are_equal(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox(alpha_only=False) is None
