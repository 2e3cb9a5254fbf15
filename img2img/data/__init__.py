"""Where training pictures come from. No torch here, nor in `data.check` and `data.download`."""

from typing import Literal

Caching = Literal["auto", "device", "memory", "none"]
"""Where the decoded images of a training are kept."""
PairDirection = Literal["a2b", "b2a"]
"""Which side of a pair becomes the other."""
