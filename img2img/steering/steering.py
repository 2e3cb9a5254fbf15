"""What a colorizer is steered by while it colours one photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from img2img.lab import Floats
from img2img.steering.hints import Hint


@dataclass(frozen=True, eq=False)
class Steering:
    """`prior` (Q,) multiplies what each color class gets, None for none; `hints` fix colours at places."""

    prior: Floats | None = None
    hints: Sequence[Hint] = ()


NEUTRAL = Steering()
