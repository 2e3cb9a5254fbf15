"""Good files of every kind that is read, drawn by code, small: what mutations start from."""

from collections.abc import Callable
from functools import cache

from fuzz.samples.archives import archives
from fuzz.samples.films import films, sequences
from fuzz.samples.photos import bmp, gif, heif, jpeg, others, png, webp
from fuzz.samples.sample import Sample
from fuzz.samples.tiffs import tiff

GROUPS: dict[str, Callable[[], list[Sample]]] = {
    "png": png,
    "jpeg": jpeg,
    "tiff": tiff,
    "webp": webp,
    "gif": gif,
    "bmp": bmp,
    "heif": heif,
    "other": others,
    "archive": archives,
    "film": films,
    "sequence": sequences,
}


@cache
def group(name: str) -> dict[str, Sample]:
    """The samples of a group by their names; none where what makes such files is not installed."""
    return {sample.name: sample for sample in GROUPS[name]()}
