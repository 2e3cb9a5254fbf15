"""Tells how a run goes: losses, health and pictures, in the run's folder and for TensorBoard."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from img2img.runs.previews import save_picture
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_records import quality_words
from img2img.training.health.examination import Examination
from img2img.training.health.health import Health
from img2img.training.health.history import Finding
from img2img.training.tensorboard import TensorBoard


class Reporter:
    """Writes what one run tells of itself. Of several processes the leading one alone has use for it."""

    def __init__(self, folder: RunFolder, *, tensorboard: bool) -> None:
        self._folder = folder
        self._board = TensorBoard(folder.path) if tensorboard else None
        self.health = Health()
        self._began_at, self._first, self._seconds_before = 0.0, 0, 0.0
        self._paused = 0.0

    def resume(self, step: int) -> None:
        """Go on from the records up to this step; later ones are dropped, since their steps are done again."""
        self._folder.forget_after(step)
        self._seconds_before = self._folder.seconds()
        self.health = Health(self._folder.health())

    def begin(self, step: int) -> None:
        """The clock starts, at this step."""
        self._folder.note_stopped(False)
        self._began_at, self._first = time.monotonic(), step
        if self._board:
            self._board.begin(step)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What the block takes does not count for the speed; it does for how long the run has taken."""
        began_at = time.monotonic()
        yield
        self._paused += time.monotonic() - began_at

    def figures(self, step: int, losses: Mapping[str, float], samples_per_step: int) -> dict[str, float]:
        """Record the losses, with how fast it goes."""
        seconds = time.monotonic() - self._began_at
        record = {
            "step": step,
            **losses,
            "images_per_second": round((step - self._first) * samples_per_step / (seconds - self._paused), 2),
            "seconds": round(self._seconds_before + seconds, 3),
        }
        self._folder.append_stats(record)
        if self._board:
            self._board.scalars(step, record)
        return record

    def check_up(self, step: int, steps: int, measured: Examination) -> list[Finding]:
        """Record the health after `step` of `steps`; what comes up now."""
        found = self.health.check(step, steps, **vars(measured))
        self._folder.append_health(self.health.record)
        return found

    def quality(self, step: int, figures: Mapping[str, float], reference: Mapping[str, float]) -> str:
        """Record what was measured on held-out images, and the first time also what it lies between; says it."""
        first = not self._folder.quality()
        self._folder.append_quality({"step": step, **figures, **({"reference": dict(reference)} if first else {})})
        if self._board:
            self._board.scalars(step, figures)
        return f"quality: {quality_words(figures, reference)}"

    def picture(self, step: int, grid: Tensor) -> None:
        """Keep a preview, (3, H, W) uint8."""
        save_picture(grid, self._folder.preview_path(step))
        if self._board:
            self._board.picture(step, grid)

    def close(self) -> None:
        if self._board:
            self._board.close()
