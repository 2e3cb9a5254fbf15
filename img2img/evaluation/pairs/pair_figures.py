"""What a translator makes of the inputs of pairs, beside their targets: PSNR, SSIM, LPIPS and the Frechet distance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.data.pairs.open_pairs import open_pairs
from img2img.data.training_data import open_data
from img2img.device import pick_device
from img2img.errors import DataError
from img2img.evaluation.colorizers.measured_photos import Advance
from img2img.evaluation.colorizers.metrics import Picture, psnr
from img2img.evaluation.colorizers.similarity import Lpips, ssim
from img2img.evaluation.pairs.pair_quality import HIGHEST_PSNR
from img2img.evaluation.request import EvaluationRequest
from img2img.evaluation.sets.comparison import FEWEST
from img2img.evaluation.sets.distances import frechet_distance
from img2img.evaluation.sets.feature_network import PooledFeatures, feature_network
from img2img.evaluation.sets.pictures import Change, at_size, features_of
from img2img.inference.translator import Translator

PAIRS = "pairs"


@dataclass(frozen=True)
class PairRow:
    """Means over pairs, and the Frechet distance between both sets; LPIPS is None without its weights.

    The distance is None for fewer than FEWEST pairs.
    """

    pictures: str
    number: int
    psnr: float
    ssim: float
    lpips: float | None
    frechet_distance: float | None

    def figures(self) -> dict[str, Any]:
        """Rounded, what was not measured left out."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
            if value is not None
        }


def paired_sources(request: EvaluationRequest) -> tuple[ImageSource, ImageSource]:
    """The inputs and their targets, or those of the last pairs as a training holds them out.

    Raises DataError when a tenth of the pairs is none.
    """
    domains = {"a": request.data, "b": request.real}
    if not request.held_out:
        sides = open_pairs(domains)
        return sides["a"], sides["b"]
    kept = open_data(domains, held_out=request.held_out, paired=True).held_out
    if not kept:
        raise DataError(f"{request.data[0]}: too few pairs to hold any out; leave out --held-out")
    return kept["a"], kept["b"]


def pair_figures(request: EvaluationRequest, advance: Advance) -> dict[str, Any]:
    """The translator's figures, then under "pairs" beside those of the untouched inputs."""
    assert request.model
    inputs, targets = paired_sources(request)
    translator, device = Translator(request.model), pick_device("auto")
    size = request.size or translator.card.native_size
    features = feature_network(request.features or "lite0", request.weights, device)
    rows = compare_pairs(
        at_size(translator, request.size),
        inputs,
        targets,
        size=size,
        lpips=Lpips(request.lpips_weights, device) if request.lpips_weights else None,
        features=features,
        advance=advance,
    )
    figures = [row.figures() for row in rows]
    decide = {name: value for name, value in figures[0].items() if name not in ("pictures", "number")}
    which = "the last " if request.held_out else ""
    sides = " and ".join(", ".join(name.rsplit("/", 1)[-1] for name in side) for side in (request.data, request.real))
    measured_on = f"{which}{len(inputs)} pairs of {sides} at {size} px"
    return {**decide, "features": features.name, "measured_on": measured_on, PAIRS: figures}


def compare_pairs(
    translate: Change,
    inputs: ImageSource,
    targets: ImageSource,
    *,
    size: int,
    lpips: Lpips | None = None,
    features: PooledFeatures | None = None,
    advance: Advance = lambda done, total: None,
) -> list[PairRow]:
    """What is made of each input, and the input itself, beside its target: the middle squares of all, at `size` px."""
    translated: list[Picture] = []
    untouched: list[Picture] = []
    truths: list[Picture] = []
    for index in range(len(inputs)):
        given = inputs.rgb(index)
        made = np.asarray(translate(Image.fromarray(given)).convert("RGB"))
        for side, picture in ((translated, made), (untouched, given), (truths, targets.rgb(index))):
            side.append(centre_square(picture, size))
        advance(index + 1, len(inputs))
    return [
        _row("translated", translated, truths, lpips, features),
        _row("untouched", untouched, truths, lpips, features),
    ]


def _row(
    name: str,
    pictures: Sequence[Picture],
    truths: Sequence[Picture],
    lpips: Lpips | None,
    features: PooledFeatures | None,
) -> PairRow:
    pairs = list(zip(pictures, truths, strict=True))
    distance = None
    if features and len(pairs) >= FEWEST:
        distance = max(0.0, frechet_distance(*(_looked_at(some, features) for some in (pictures, truths))))
    return PairRow(
        name,
        len(pairs),
        psnr=float(np.mean([min(psnr(*pair), HIGHEST_PSNR) for pair in pairs])),
        ssim=float(np.mean([ssim(*pair) for pair in pairs])),
        lpips=float(np.mean([lpips(*pair) for pair in pairs])) if lpips else None,
        frechet_distance=distance,
    )


def _looked_at(pictures: Sequence[Picture], features: PooledFeatures) -> torch.Tensor:
    batches = (pictures[first : first + features.batch] for first in range(0, len(pictures), features.batch))
    return features_of((torch.from_numpy(np.stack(some)).movedim(-1, 1) for some in batches), features)
