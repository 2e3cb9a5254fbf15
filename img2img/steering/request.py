"""What a person asks for beside the model's own colours: as a task carries it, small and to be pickled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from img2img.atomic_file import reason_for
from img2img.errors import UnreadablePhoto
from img2img.photo import DEFAULT_MAX_PIXELS, Photo, read_photo
from img2img.steering.colors import Color, hexadecimal
from img2img.steering.hints import Hint
from img2img.steering.prior import small_reference


@dataclass(frozen=True)
class Reference:
    """A photo, small, whose colours another is to lean to; its file's `sha256` says all of it."""

    sha256: str
    photo: Photo = field(compare=False, repr=False)


@dataclass(frozen=True)
class SteeringRequest:
    """As for `Colorizer.prior`, and hints; the default asks for nothing."""

    reference: Reference | None = None
    influence: float = 1.0
    palette: tuple[Color, ...] = ()
    warmth: float = 0.0
    hints: tuple[Hint, ...] = ()

    def described(self) -> dict[str, Any]:
        """What shapes the colours, for JSON: empty where nothing does, and no file's name or path in it."""
        described: dict[str, Any] = {}
        if self.reference and self.influence:
            described |= {"reference": self.reference.sha256, "influence": self.influence}
        if self.palette and self.influence:
            described |= {"palette": ",".join(map(hexadecimal, self.palette)), "influence": self.influence}
        if self.warmth:
            described["warmth"] = self.warmth
        if self.hints:
            described["hints"] = " ".join(map(str, self.hints))
        return described


def read_reference(path: Path, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Reference:
    """Of a photo's file, of an animation's first picture. Raises UnreadablePhoto, which names it."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadablePhoto(f"{path}: {reason_for(error, 'read')}") from error
    photo = read_photo(BytesIO(content), name=str(path), max_pixels=max_pixels, first_frame=True)
    return Reference(hashlib.sha256(content).hexdigest(), small_reference(photo))
