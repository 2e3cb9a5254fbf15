"""What a colorizer is steered by while it colours one photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from img2img.steering.hints import Hint
from img2img.steering.prior import Prior


@dataclass(frozen=True, eq=False)
class Steering:
    """`prior` makes some color classes likelier, None for none; `hints` fix colours at places."""

    prior: Prior | None = None
    hints: Sequence[Hint] = ()


NEUTRAL = Steering()
