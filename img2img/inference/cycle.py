"""There and back: how well a photo survives two translators, to be seen side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from img2img.inference.callables import Convert
from img2img.inference.translator import grey_or_rgb
from img2img.photo import Photo


def there_and_back(photo: Photo, there: Convert, back: Convert) -> Photo:
    """A photo three times as wide: the input, what `there` makes of it, what `back` makes of that; all else kept."""
    out = there(photo)
    pixels = grey_or_rgb(photo)
    pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    alpha = None if photo.alpha is None else np.tile(photo.alpha, (1, 3))
    return replace(out, pixels=np.concatenate([pixels, out.pixels, back(out).pixels], axis=1), alpha=alpha)
