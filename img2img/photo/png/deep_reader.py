"""16-bit PNG in: of its colours Pillow keeps the upper byte alone.

Pillow's decoder (C) runs twice and is told to keep the first, then the second byte of each sample.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from img2img.photo.decode import keyed_alpha, profiled, upright
from img2img.photo.image_info import metadata, side_of
from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels, strips

# Samples per pixel: for each pass the mode that holds its bytes, and how Pillow's decoder unpacks them.
_PASSES = {
    1: [("I;16", "I;16B")],
    2: [("RGBA", "RGBA")],
    3: [("RGB", "RGB;16B"), ("RGB", "RGB;16L")],
    4: [("RGBA", "RGBA;16B"), ("RGBA", "RGBA;16L")],
}


def deep_photo(opened: Callable[[], PngImageFile]) -> Photo:
    """Grey or RGB, with alpha or one transparent colour, of a file that can be opened several times."""
    count = _samples(opened())
    for number, (mode, rawmode) in enumerate(_PASSES[count]):
        image = opened()
        image._mode = mode
        image.tile = [image.tile[0]._replace(args=rawmode)]
        image.load()
        if number == 0:
            samples = np.zeros((image.height, image.width, count), np.uint16)
        _add_bytes(samples, image, shift=8 if number == 0 else 0)
    return _photo(samples, image)


def _samples(image: PngImageFile) -> int:
    """Per pixel, of a 16-bit PNG as Pillow is about to decode it."""
    return {"I;16B": 1, "LA;16B": 2, "RGB;16B": 3, "RGBA;16B": 4}[str(image.tile[0].args)]


def _add_bytes(samples: Pixels, image: PngImageFile, shift: int) -> None:
    count = samples.shape[2]
    for part in strips(*samples.shape[:2]):
        strip = np.asarray(image.crop((0, part.start, image.width, part.stop)))
        if count == 1:
            samples[part, :, 0] = strip
        elif count == 2:
            samples[part] = strip.view(">u2")
        else:
            samples[part] |= strip.astype(np.uint16) << shift


def _photo(samples: Pixels, image: PngImageFile) -> Photo:
    count = samples.shape[2]
    alpha = samples[..., -1] if count in (2, 4) else keyed_alpha(samples, image.info.get("transparency"))
    color = samples[..., 0] if count < 3 else samples[..., :3]
    side = side_of(image)
    pixels, icc = profiled(upright(color, side), image.info.get("icc_profile") or None)
    return Photo(
        pixels=pixels,
        space="L" if count < 3 else "RGB",
        alpha=None if alpha is None else upright(alpha, side),
        icc=icc,
        format="PNG",
        **metadata(image, side, image.size),
    )
