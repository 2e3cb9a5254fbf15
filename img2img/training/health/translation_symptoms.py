"""What can go wrong in learning to translate pictures, and how it shows in what became of them."""

from collections.abc import Callable

from img2img.training.health.history import Finding, History

SETTLED_STEPS, SETTLED_SHARE = 1000, 0.1
"""By then a translator must have a way of its own: a ResNet begins with noise, a masked one with next to nothing."""
UNCHANGED = 0.01
"""Mean change, as a share of the range, that is none (horses and zebras, 800 steps: 0.006 by a generator whose pictures
nobody can tell from its originals, 0.02 by one that rubs out stripes)."""
INVERTED = -0.2
"""Correlation, or agreement of colours, below which a picture is its own negative (horses and zebras: 0.8 and more)."""
REPAINTED = 0.5
"""Share of the pixels at the border that a translator may change by more than a tenth (horses and zebras: 0.01)."""


def changes_nothing(history: History) -> Finding | None:
    """A translator returns what it is given."""
    change = history["change"].now
    if not (_settled(history) and change < UNCHANGED):
        return None
    return Finding(
        "generator changes nothing",
        f"a generator changes its pictures by {255 * change:.2g} grey levels of 255 on average: lower lambda_cycle or "
        "lambda_identity, or raise lambda_adversarial.",
    )


def inverted(history: History) -> Finding | None:
    """A translator makes negatives: cycles and discriminators may be content with them."""
    luma, colour = history["luma"].now, history["colour"].now
    if not (_settled(history) and min(luma, colour) < INVERTED):
        return None
    what = "light and dark" if luma <= colour else "colours"
    return Finding(
        "colours inverted",
        f"a generator turns {what} into their opposites (agreement {min(luma, colour):.2g} of 1): raise "
        "lambda_identity, or start again with another --seed.",
    )


def repainted(history: History) -> Finding | None:
    """A translator paints over all of the picture, its border too."""
    share = history["repainted"].now
    if not (_settled(history) and share > REPAINTED):
        return None
    return Finding(
        "background repainted",
        f"a generator changes {share:.0%} of the pixels at the border by more than a tenth; unless all of the picture "
        "is to change, raise lambda_cycle or lambda_identity.",
    )


def _settled(history: History) -> bool:
    return history.step >= SETTLED_STEPS and history.progress >= SETTLED_SHARE


TRANSLATION_SYMPTOMS: tuple[Callable[[History], Finding | None], ...] = (changes_nothing, inverted, repainted)
