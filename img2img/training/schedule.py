"""A run's learning rates, and what happens to their schedule when it goes on with another number of steps."""

from collections.abc import Mapping

from torch import optim

from img2img.errors import SettingError
from img2img.recipes.recipe import Recipe


class LearningRates:
    """Of optimizers, each at the peak that it was made with, but for a factor on all of them."""

    def __init__(self, optimizers: Mapping[str, optim.Optimizer]) -> None:
        self._peaks = [
            (optimizer, [group["lr"] for group in optimizer.param_groups]) for optimizer in optimizers.values()
        ]

    def set(self, factor: float) -> None:
        for optimizer, peaks in self._peaks:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):  # a loaded state's groups are new ones
                group["lr"] = peak * factor


def schedule_change(recipe: Recipe, step: int, before: int, after: int) -> str:
    """One line for a person: the learning rate of the next step as it would have been, and as it will be.

    Raises SettingError when the run has gone further than `after` already.
    """
    if after < step:
        raise SettingError(f"--steps {after}: the run is at step {step} already; give {step} or more")
    factors = [recipe.lr_multiplier(min(1.0, (step + 1) / steps)) for steps in (before, after)]
    verb = "stretched" if after > before else "shortened"
    return f"schedule {verb}: {before} -> {after} steps; the learning rate {_change(*factors)}"


def _change(before: float, after: float) -> str:
    if before != after:
        return f"jumps to its new curve, from {before:.3g} to {after:.3g} of its peak"
    return "stays at its peak" if before == 1 else f"stays at {before:.3g} of its peak"
