"""What looks odd about a result, at a glance: so that of a thousand photos the few that need a look can be found."""

import numpy as np

from img2img.color import BLUE_CB, GREEN_CB, GREEN_CR, RED_CR
from img2img.lab import BT601, Floats
from img2img.photo import Photo

NEARLY_GREY, CLIPPED = "nearly grey", "clipped colours"
_SAMPLED_SIDE = 64  # pixels, at most, of each side
_TINT = 8
"""Steps of chroma (of 255, as in JPEG) that the eye takes for grey when nothing beside them is more colourful."""
_COLOURFUL = 0.1
"""Share of a photo that has more. 27 of 500 held-out photos (5%) fell below it when the colorizer had coloured their
greys, and no one of them looks coloured; from a chroma of 9 on, some do. Of the photos as taken it were 2%."""
_VIVID = 64
"""Between a pixel's largest and smallest of R, G and B: white skies and black shadows reach the ends too."""
_CLIPPED_SHARE = 0.05
"""Of pixels that are vivid and at an end of the scale. The colorizer reached it on none of the 500, with --strength 1.5
on 6%: glowing skies and sunsets. horse2zebra, given all kinds of photos, on 2%; 6% of the photos as taken."""


def flags_of(photo: Photo) -> tuple[str, ...]:
    """Of a result: "nearly grey", "clipped colours". From a grid of its pixels: 0.1 milliseconds at any size."""
    red, green, blue = _sampled(photo)
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    luma = BT601[0] * red + BT601[1] * green + BT601[2] * blue
    found = []
    if (np.hypot((blue - luma) / BLUE_CB, (red - luma) / RED_CR) > _TINT).mean() < _COLOURFUL:
        found.append(NEARLY_GREY)
    if (((low < 1.5) | (high > 253.5)) & (high - low > _VIVID)).mean() > _CLIPPED_SHARE:
        found.append(CLIPPED)
    return tuple(found)


def _sampled(photo: Photo) -> tuple[Floats, Floats, Floats]:
    """R, G and B on a grid, 0 to 255, each on its own: several times as fast as along an array's last axis."""
    down, across = (-(-side // _SAMPLED_SIDE) for side in photo.pixels.shape[:2])
    grid = photo.pixels[::down, ::across]
    scale = np.float32(255 / np.iinfo(grid.dtype).max)
    if photo.space == "L":
        return (grid * scale,) * 3
    first, second, third = (grid[..., channel] * scale for channel in range(3))
    if photo.space == "RGB":
        return first, second, third
    cb, cr = second - 128, third - 128
    return first + RED_CR * cr, first - GREEN_CB * cb - GREEN_CR * cr, first + BLUE_CB * cb
