"""What may be asked of a run on the command line, known without torch."""

from typing import Literal

DEVICES = r"auto|cpu|cuda(:\d+)?"
"""A regular expression of their names."""
Caching = Literal["auto", "device", "memory", "none"]
"""Where the decoded images are kept."""
