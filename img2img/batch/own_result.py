"""Results of earlier runs among what is to be converted, known by what they say of themselves, or by their names."""

from __future__ import annotations

from pathlib import PurePath

from img2img.photo import Photo
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import OURS, Provenance

CYCLE = ".cycle"
"""Ends the word that a result there and back is named by."""


def is_result_of(photo: Photo, source: PurePath, *, model: str, word: str) -> bool:
    """Whether the model of this name made the photo."""
    said = provenance_said(photo.xmp)
    return is_named_as_result(source, word) or (said is not None and said.model == model)


def is_named_as_result(source: PurePath, word: str) -> bool:
    """Whether a result beside its source has such a name: photo.horse2zebra.jpg, or photo.horse2zebra.cycle.jpg."""
    return source.stem.removesuffix(CYCLE).endswith(f".{word.removesuffix(CYCLE)}")


def provenance_said(xmp: bytes | None) -> Provenance | None:
    """What a picture of ours says of itself; None where it is not ours, or damaged."""
    if xmp is None or OURS.encode() not in xmp:
        return None
    try:
        return provenance_in(xmp)
    except ValueError:
        return None
