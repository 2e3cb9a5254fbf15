"""The pictures that a run trained on, found again by what its folder says of them."""

from collections.abc import Mapping
from pathlib import Path

from img2img.data.image_source import ImageSource
from img2img.data.training_data import open_data
from img2img.errors import DataError
from img2img.runs.run_folder import RunFolder


def training_pictures(run: Path, *, held_out: int) -> Mapping[str, ImageSource]:
    """By domain, without those held out; raises DataError when the data is not where it was, or is other data."""
    info = RunFolder(run).read_info()
    if not info.domains:
        raise DataError(f"{run}: its config.json does not say which pictures are of which domain")
    data = open_data(info.domains, held_out=held_out)
    if info.images not in (0, data.images):
        raise DataError(f"{', '.join(info.data)}: {data.images:,} images, and the run had {info.images:,}")
    return data.train
