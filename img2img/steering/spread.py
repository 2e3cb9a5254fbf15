"""How hints spread: to what belongs together (Levin et al. 2004; Zhang et al. 2017, arXiv 1705.02999).

What spreads is the difference d of the hints' ab to the predicted ab: the d that makes least, at half the small size,

    sum_ij w_ij |d_i - d_j|^2  +  sum_i p_i |d_i|^2  +  sum_hi k_hi |d_i - delta_h|^2

over neighbours i, j tied by `affinity.ties`, a pull p to the prediction, and hints h of difference delta_h, each tied
to every pixel i by what `reach` says. All weights are 0 or more, so each d_i is a mean of its neighbours', the hints'
differences and 0: nothing lies outside of their hull.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from img2img.lab import Floats, lightness
from img2img.steering.affinity import Posterior, falling_off, resized, ties
from img2img.steering.colors import ab_of
from img2img.steering.grid_equations import GridEquations
from img2img.steering.guided import enlarged
from img2img.steering.hints import Hint, PixelSize

PULL = 7e-4
"""To the prediction. In even light all ties are 1, and d falls to 1/e in sqrt(3 / PULL) = 65 of a side's 96 pixels."""
UNLIKE, VIVID = 0.35, 20.0
"""What is unlike all hints, at this distance of Hellinger's, is pulled twice as much: a face above a coat. That holds
for a difference of 20 in ab, and the less for a smaller one, which is a cast of the light, on face and coat."""
NEAR, NEAR_SIDE, NEAR_LIGHTNESS, NEAR_DISTANCE = 10.0, 0.03, 4.0, 0.2
"""A hint is a soft spot: at a point, a colour could not hold against all that is around. Its tie, and how that falls
off: with the place, in shares of the side, with L, and with Hellinger's distance between the posteriors."""
FAR, FAR_SIDE, FAR_LIGHTNESS, FAR_DISTANCE = 60 * PULL, 0.7, 12.0, 0.08
"""The same of what is like it, though not joined to it: the other sleeve. At FAR = 60 PULL what is just like it, in a
region of its own, gets 60 / 61 of the difference."""


def spread_hints(
    hints: Sequence[Hint], small: npt.NDArray[np.uint8], ab: Floats, logits: Floats, *, photo: PixelSize
) -> Floats:
    """The ab (2, h, w) of a small luma (h, w) with the hints' colours where they are and on what belongs to them.

    `ab` (2, h, w) is what the model predicts, `logits` (Q, h/4, w/4) what it predicts it from; `photo` is the height
    and width of the photo. Of hints at one place the last counts. UsageError for one outside of the photo.
    """
    colors = {hint.place(photo, small.shape): ab_of(hint.color) for hint in hints}
    differences = {place: color - ab[:, *place] for place, color in colors.items()}
    steered: Floats = ab + _spread(differences, lightness(small), Posterior.of_logits(logits))
    for place, color in colors.items():
        steered[:, *place] = color
    return steered


def reach(difference: Floats, apart: Floats, distance: Floats) -> Floats:
    """How strongly a hint is tied to each pixel (h, w).

    `difference` is its L less the hint's, `apart` how far off it is in shares of the side, `distance` Hellinger's.
    """
    off = ((difference, NEAR_LIGHTNESS), (distance, NEAR_DISTANCE), (apart, NEAR_SIDE))
    near = np.exp(sum(np.square(each / np.float32(sigma)) for each, sigma in off) / np.float32(-2))
    alike = np.exp(distance / np.float32(-FAR_DISTANCE) - apart / np.float32(FAR_SIDE))
    far = falling_off(np.square(difference / np.float32(FAR_LIGHTNESS))) * alike
    reached: Floats = np.float32(NEAR) * near + np.float32(FAR) * far
    return reached


def _spread(differences: dict[tuple[int, int], Floats], light: Floats, posterior: Posterior) -> Floats:
    """The differences (2, h, w) to what is predicted, of those at places of an L (h, w)."""
    h, w = light.shape
    guide = np.pad(light, ((0, h % 2), (0, w % 2)), "edge")
    half = guide[::2, ::2]
    mass, b = np.zeros_like(half), np.zeros((2, *half.shape), np.float32)
    unlike = np.ones_like(half)
    for (row, column), difference in differences.items():
        distance = resized(posterior.distance_from((row + 0.5) / h, (column + 0.5) / w), half.shape)
        tie = reach(half - light[row, column], _far_off(light.shape, row, column), distance)
        unlike = np.minimum(unlike, distance)
        mass += tie
        b += tie * difference[:, None, None]
    vivid = max(float(np.hypot(*difference)) for difference in differences.values())
    mass += np.float32(PULL) * (1 + np.float32(vivid / VIVID) * (unlike / np.float32(UNLIKE)) ** 4)
    equations = GridEquations(mass, ties(guide, posterior))
    return enlarged(equations.solved(b), equations.tied(), guide)[:, :h, :w]


def _far_off(shape: tuple[int, ...], row: int, column: int) -> Floats:
    """How far every other pixel of (h, w) is from a place, in shares of the side of a square as large."""
    h, w = shape
    down, across = np.ogrid[:h:2, :w:2]
    off: Floats = np.hypot(down - row, across - column).astype(np.float32)
    return off / np.float32((h * w) ** 0.5)
