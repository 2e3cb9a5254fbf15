"""How hints spread: to what belongs together (Levin et al. 2004; Zhang et al. 2017, arXiv 1705.02999)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from img2img.lab import Floats
from img2img.steering.hints import Hint


def spread_hints(hints: Sequence[Hint], small: npt.NDArray[np.uint8], ab: Floats, logits: Floats) -> Floats:
    """The ab (2, h, w) of a small luma (h, w) with the hints' colours where they are and on what belongs to them.

    `ab` (2, h, w) is what the model predicts, `logits` (Q, h/4, w/4) what it predicts it from.
    """
    raise NotImplementedError
