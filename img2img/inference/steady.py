"""The hook through which what a network says of a film's frames is smoothed in time."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from img2img.lab import Floats

Steady = Callable[[NDArray[np.uint8], Floats], Floats]
"""Called once a frame, in order, with its small luma (h, w) and a field on it (c, h, w), which comes back smoothed."""
