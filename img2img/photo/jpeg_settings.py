"""How a JPEG was encoded, so that its result can be encoded alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

_IPTC = 0x0404  # of Photoshop's image resources; the others are settings and thumbnails of the old picture


@dataclass(frozen=True)
class JpegSettings:
    """How the source JPEG was encoded.

    tables: quantisation tables as Pillow's `qtables`: luma, chroma (or Cb, Cr); one where all share it.
    subsampling: of the chroma, as Pillow counts: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0; 2 for a grey source.
    iptc: captions and credits as news agencies write them (IPTC-IIM), as stored among Photoshop's resources.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int = 2
    progressive: bool = False
    comment: bytes | None = None
    iptc: bytes | None = None


def jpeg_settings(image: Image.Image, side: int) -> JpegSettings | None:
    """How the JPEG was encoded, as it holds for pixels turned upright from that side."""
    if image.format not in ("JPEG", "MPO"):
        return None
    from PIL.JpegImagePlugin import JpegImageFile

    if not isinstance(image, JpegImageFile) or not image.layer:
        return None
    color = image.layer[:3]
    ids = [component[3] for component in color]
    used = ids[:1] if len(set(ids)) == 1 else ids[:2] if len(ids) < 3 or ids[1] == ids[2] else ids
    if not all(i in image.quantization for i in used):
        return None
    comment = image.info.get("comment")
    iptc = image.info.get("photoshop", {}).get(_IPTC)
    return JpegSettings(
        tables=tuple(_turned_table(image.quantization[i], side) for i in used),
        subsampling=_subsampling([_turned_factors(component[1:3], side) for component in color]),
        progressive=bool(image.info.get("progressive")),
        comment=comment if isinstance(comment, bytes) else None,
        iptc=iptc if isinstance(iptc, bytes) and iptc else None,
    )


def _turned_table(table: Sequence[int], side: int) -> tuple[int, ...]:
    """Rows and columns, 8 x 8, change places with the picture's: a frequency across becomes one down."""
    return tuple(table[8 * (i % 8) + i // 8] for i in range(64)) if side >= 5 else tuple(table)


def _turned_factors(factors: tuple[int, int], side: int) -> tuple[int, int]:
    return (factors[1], factors[0]) if side >= 5 else factors


def _subsampling(factors: list[tuple[int, int]]) -> Literal[0, 1, 2]:
    """4:2:0 for a grey source; 4:4:4 for the layouts that Pillow cannot write, so that nothing is lost."""
    if len(factors) < 3 or factors == [(2, 2), (1, 1), (1, 1)]:
        return 2
    return 1 if factors == [(2, 1), (1, 1), (1, 1)] else 0
