"""What a look at a training's health comes to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong in a training."""

    name: str
    """"mode collapse", "duplicates", "vanishing gradients", "discriminator always right", "not finite", "runaway" and
    the player, "generator changes nothing", "colours inverted" or "background repainted"."""
    sentence: str
    """What is seen, with its figures, and what to do about it."""
