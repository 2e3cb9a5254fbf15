"""Where training pictures come from. This file imports nothing: `data.check` and `data.download` need no torch."""

from typing import Literal

Caching = Literal["auto", "device", "memory", "none"]
"""Where the decoded images of a training are kept."""
