"""What a score is measured by: how strange a run's own training pictures are to the models that it became."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from img2img.data.image_source import ImageSource
from img2img.data.training_data import TrainingData, open_data
from img2img.errors import DataError
from img2img.export.files import write_score
from img2img.inference.scorer import PhotoJudge, quantiles_of
from img2img.inference.translator import Translator
from img2img.photo import Photo
from img2img.randomness import derive_seed
from img2img.runs.run_folder import RunFolder

MOST = 500
"""Pictures of a domain that are looked at; of more, so many by seed."""
FEWEST = 2


def write_quantiles(run: Path, models: Mapping[str, Path], *, held_out: int, seed: int) -> None:
    """Measure each model on the training pictures of its domain, and put its quantiles on its cards.

    `models` are written already, and their critic beside them. Raises DataError when the run's data is not where it
    was, or is other data.
    """
    data = _data_of(run, held_out)
    for domain, path in models.items():
        judge, source = PhotoJudge(Translator(path)), data.train[domain]
        chosen = _drawn(source, derive_seed(seed, "score", len(source)))
        write_score(path, quantiles_of([judge.parts(Photo(source.rgb(index), "RGB")) for index in chosen]))


def _data_of(run: Path, held_out: int) -> TrainingData:
    info = RunFolder(run).read_info()
    if not info.domains:
        raise DataError(f"{run}: its config.json does not say which pictures are of which domain")
    data = open_data(info.domains, held_out=held_out)
    if info.images not in (0, data.images):
        raise DataError(f"{', '.join(info.data)}: {data.images:,} images, and the run had {info.images:,}")
    if min(map(len, data.train.values())) < FEWEST:
        raise DataError(f"{', '.join(info.data)}: too few images")
    return data


def _drawn(source: ImageSource, seed: int) -> list[int]:
    chosen: list[int] = np.random.default_rng(seed).permutation(len(source))[:MOST].tolist()
    return chosen
