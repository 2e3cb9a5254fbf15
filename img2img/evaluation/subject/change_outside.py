"""How much a translator changes a picture outside of its subject, whose mask comes of the untouched picture alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.evaluation.colorizers.measured_photos import Advance
from img2img.evaluation.sets.pictures import PICTURE_SIDE, Change, looked_at
from img2img.evaluation.subject.subject_mask import subject_masks
from img2img.networks.imagenet.subject_encoder import SubjectEncoder

RIM = 8
"""Pixels of 256 around a mask that belong to neither side: a mask's edge is no better than that."""
MOST_MEASURED = 200
"""Pictures that are looked at, whose features take 3 MiB each at a time; of more, so many at equal steps."""


@dataclass(frozen=True)
class ChangeOutside:
    """Mean |output - input| in grey levels (0 to 255) over the pixels of all pictures in which there is the subject.

    Outside of the mask and its rim; inside the mask; outside in the lower third. `share_outside` is of all change.
    """

    pictures_with_subject: int
    change_outside: float
    change_inside: float
    share_outside: float
    change_foreground: float

    def figures(self) -> dict[str, float]:
        """Rounded for a card."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def change_outside(
    change: Change, source: ImageSource, classes: Sequence[int], advance: Advance = lambda done, total: None
) -> ChangeOutside | None:
    """Of the pictures' middle squares at 256 px, around what is of these classes of ImageNet; None where nothing is.

    Masks lack much of a subject that fills its picture, and the lower legs of animals: the change outside of close-ups
    is then in part that of the subject.
    """
    encoder = SubjectEncoder(classes)
    indices = looked_at(source, MOST_MEASURED)
    features, log_odds, differences = [], [], []
    for done, index in enumerate(indices, 1):
        pixels = source.rgb(index)
        square = torch.tensor(centre_square(pixels, PICTURE_SIDE)).movedim(-1, 0)[None]
        of_places, odds = encoder(square.float() / 127.5 - 1)
        features.append(of_places[0].half())
        log_odds.append(odds[0, 0])
        differences.append(_difference(change, pixels))
        advance(done, len(indices))
    masks = subject_masks(features, log_odds, PICTURE_SIDE)
    kept = [(some, mask) for some, mask in zip(differences, masks, strict=True) if mask is not None]
    return summed_change([some for some, _ in kept], [mask for _, mask in kept]) if kept else None


def summed_change(differences: Sequence[Tensor], masks: Sequence[Tensor], rim: int = RIM) -> ChangeOutside:
    """Of |output - input| (H, W) and masks (H, W) of one picture or more; 0 where a part has no pixel."""
    difference, mask = torch.stack(list(differences)).double(), torch.stack(list(masks))
    outside = ~_dilated(mask, rim)
    foreground = outside.clone()
    foreground[:, : difference.shape[1] * 2 // 3] = False
    total = float(difference.sum())
    return ChangeOutside(
        pictures_with_subject=len(masks),
        change_outside=_mean(difference, outside),
        change_inside=_mean(difference, mask),
        share_outside=float(difference[outside].sum()) / total if total else 0.0,
        change_foreground=_mean(difference, foreground),
    )


def _difference(change: Change, pixels: NDArray[np.uint8]) -> Tensor:
    """(256, 256) in grey levels, the mean over the colours."""
    made = np.asarray(change(Image.fromarray(pixels)).convert("RGB"))
    after, before = (centre_square(some, PICTURE_SIDE).astype(np.float32) for some in (made, pixels))
    return torch.from_numpy(np.abs(after - before).mean(2))


def _dilated(masks: Tensor, rim: int) -> Tensor:
    grown = F.max_pool2d(masks[:, None].float(), 2 * rim + 1, stride=1, padding=rim)
    return grown[:, 0] > 0


def _mean(difference: Tensor, where: Tensor) -> float:
    return float(difference[where].mean()) if bool(where.any()) else 0.0
