"""How often things happen in a training, in steps, and how its images are loaded."""

import time
from dataclasses import dataclass

from img2img.saved_states import KEEP


@dataclass(frozen=True)
class Pace:
    """Steps between two of a kind; `keep` states stay."""

    log_every: int = 50
    save_every: int = 500
    preview_every: int = 500
    preview_count: int = 8
    early_previews: tuple[int, ...] = (20, 100)
    """Steps at which one is drawn besides, so that a person soon sees whether all is as meant."""
    workers: int | None = None
    """Processes that decode images; None leaves it to the data and the device."""
    cache: str = "auto"
    keep: int = KEEP
    health_every: int = 100
    evaluate_every: int = 1000
    """Between two measurements of quality, for recipes that have one; 0: never."""
    until: float | None = None
    """When a run that is not done yet is saved and stops, by `time.monotonic()`; None: never."""

    def previews_at(self, step: int) -> bool:
        return step in self.early_previews or step % self.preview_every == 0

    def evaluates_at(self, step: int) -> bool:
        return self.evaluate_every > 0 and step % self.evaluate_every == 0

    def time_is_up(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until
