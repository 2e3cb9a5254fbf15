"""How the photos of a batch are read and written."""

from dataclasses import dataclass

from img2img.batch.in_color import IfColor
from img2img.photo import DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class PhotoOptions:
    """`format`, as in the plan, is for standard output, which has no suffix.

    `provenance`: whether results say how they were made. `keep_times`: whether they get their photos' times.
    `if_color`: what becomes of photos that are in colour already; None where nobody looks. `word`: what results of an
    earlier run beside their photos are named by; `leaves_own`: whether a translator leaves its own earlier results out.
    """

    format: str = "same"
    quality: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    first_frame: bool = False
    provenance: bool = True
    keep_times: bool = False
    if_color: IfColor | None = None
    word: str = "colorized"
    leaves_own: bool = False
