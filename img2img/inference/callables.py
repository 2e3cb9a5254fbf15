"""The kinds of function that callers hand over: what makes one photo of another, what smooths a film."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from img2img.lab import Floats
from img2img.photo import Photo

Convert = Callable[[Photo], Photo]
"""From a photo to another of its size, or of twice or three times its width."""

Steady = Callable[[NDArray[np.uint8], Floats], Floats]
"""Called once a frame, in order, with its small luma (h, w) and a field on it (c, h, w), which comes back smoothed."""
