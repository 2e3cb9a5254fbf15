"""Random crops, flips, light, tones, softness and grain for whole batches, on the device they lie on.

Every number drawn for a sample comes from its key: the batch around it, the number of processes and a resume change
nothing. Nothing here waits for the device. "photo" and "aged" change a picture as `photo_of_whole` and `crop_of_whole`
in loading.py do, and as often, but draw other numbers: a run with a cache sees other crops than one without.
"""

from math import log

import torch
import torch.nn.functional as F
from kornia.enhance import adjust_brightness, adjust_contrast
from kornia.filters import gaussian_blur2d
from torch import Tensor

from img2img.data.cache import Padded
from img2img.randomness import normal, uniform

CROP_AREA = (0.3, 1.0)
CROP_RATIO = (0.8, 1.25)
CROP_TRIES = 10


def seen(stored: Padded, key: Tensor, size: int, augment: str) -> Tensor:
    """(N, 3, size, size) in [-1, 1]: what is trained on of pictures that were stored for this augmentation."""
    if augment == "photo":
        return photo_of_stored(stored, key, size)
    if augment == "aged":  # the recipe ages the grey; the colours stay as they are
        return flipped(random_crops(stored, key, size), key) * 2 - 1
    if augment == "crop":
        return flipped(random_squares(stored, key, size), key)
    if augment == "light":
        return lit(flipped(random_squares(stored, key, size), key), key)
    return flipped(stored_squares(stored), key) if augment == "flip" else stored_squares(stored)


def flipped(images: Tensor, key: Tensor) -> Tensor:
    """(N, C, H, W), each mirrored left to right with a probability of a half."""
    return torch.where(_chosen(key, 0.5, "flip"), images.flip(3), images)


def photo_of_stored(stored: Padded, key: Tensor, size: int) -> Tensor:
    """(N, 3, size, size) in [-1, 1]: square crops with the tones, grain and softness of old prints."""
    images = flipped(random_crops(stored, key, size), key)
    return grainy(softened(toned(images, key), key), key) * 2 - 1


def stored_squares(stored: Padded) -> Tensor:
    """(N, 3, S, S) in [-1, 1] of pictures that were stored as the squares to train on."""
    return stored.pixels.float() / 127.5 - 1


def random_squares(stored: Padded, key: Tensor, size: int) -> Tensor:
    """(N, 3, size, size) in [-1, 1], cut out at whole pixels; every place is as likely as another."""
    spare = torch.stack(_shapes(stored), 1) - size
    corner = (uniform(key, (2,), "square") * (spare + 1)).long().minimum(spare)  # rounding may bring it to spare + 1
    along = torch.arange(size, device=key.device)
    y, x = corner[:, :1, None] + along[:, None], corner[:, 1:, None] + along[None]
    upright = stored.upright[:, None, None]
    rows, columns = torch.where(upright, x, y), torch.where(upright, y, x)
    picture = torch.arange(len(key), device=key.device)[:, None, None]
    return stored.pixels[picture, :, rows, columns].permute(0, 3, 1, 2).float() / 127.5 - 1


def _shapes(stored: Padded) -> tuple[Tensor, Tensor]:
    short = torch.full_like(stored.lengths, stored.pixels.shape[2])
    return torch.where(stored.upright, stored.lengths, short), torch.where(stored.upright, short, stored.lengths)


def random_boxes(key: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """(N, 4): top, left, height and width in pixels, inside pictures of the sizes (N,).

    As RandomResizedCrop draws them: area and ratio until a box fits, ten times at most; then it is the middle (after
    Szegedy et al. 2014, arXiv 1409.4842, section 6).
    """
    heights, widths = heights[:, None].float(), widths[:, None].float()
    area = heights * widths * _between(*CROP_AREA, uniform(key, (CROP_TRIES,), "crop, area"))
    ratio = _between(log(CROP_RATIO[0]), log(CROP_RATIO[1]), uniform(key, (CROP_TRIES,), "crop, ratio")).exp()
    height, width = (area / ratio).sqrt(), (area * ratio).sqrt()
    fits = (height <= heights) & (width <= widths)
    first = (fits * torch.arange(CROP_TRIES, 0, -1, device=key.device)).argmax(1, keepdim=True)
    found = fits.any(1, keepdim=True)
    height = torch.where(found, height.gather(1, first), torch.minimum(heights, widths / CROP_RATIO[0]))
    width = torch.where(found, width.gather(1, first), torch.minimum(widths, heights * CROP_RATIO[1]))
    place = torch.where(found, uniform(key, (2,), "crop, place"), 0.5)
    top, left = (heights - height) * place[:, :1], (widths - width) * place[:, 1:]
    return torch.cat([top, left, height, width], 1)


def random_crops(stored: Padded, key: Tensor, size: int) -> Tensor:
    """(N, 3, size, size) in [0, 1]: random boxes, brought to that size."""
    return cut(stored, random_boxes(key, *_shapes(stored)), size)


def cut(stored: Padded, boxes: Tensor, size: int) -> Tensor:
    """(N, 3, size, size) in [0, 1]: the boxes (N, 4), resized bilinearly; padding is never seen.

    Kornia's crop_and_resize solves for a homography, and that waits for the device.
    """
    heights, widths = _shapes(stored)
    along = (torch.arange(size, device=boxes.device) + 0.5) / size
    rows, columns = (
        (boxes[:, axis, None] + boxes[:, axis + 2, None] * along - 0.5).clamp(min=0).minimum(sides[:, None] - 1)
        for axis, sides in enumerate((heights, widths))
    )
    lying = ~stored.upright[:, None, None]
    rows, columns = rows[:, :, None].expand(-1, -1, size), columns[:, None, :].expand(-1, size, -1)
    y, x = torch.where(lying, rows, columns), torch.where(lying, columns, rows)
    short, longest = stored.pixels.shape[2:]
    grid = torch.stack([(2 * x + 1) / longest - 1, (2 * y + 1) / short - 1], dim=3)
    return F.grid_sample(stored.pixels.float() / 255, grid, padding_mode="border", align_corners=False)


def lit(images: Tensor, key: Tensor) -> Tensor:
    """(N, 3, H, W) in [-1, 1], 3 of 10 in another light: a gamma of 1 to 2.5, then warmer or colder.

    What is dark becomes a silhouette and the sky stays bright, red or blue, as in the evening. The warmest light keeps
    three tenths of blue and two thirds of green, the coldest seven tenths of red and 85% of green.
    """
    gamma = _drawn(key, 1, 2.5, "light, gamma")
    warmth = _drawn(key, -0.43, 1, "light, warmth")
    red, blue = 1 + 0.7 * warmth.clamp(max=0), 1 - 0.7 * warmth.clamp(min=0)
    gains = torch.cat([red, (red + blue) / 2, blue], 1)
    changed = (images / 2 + 0.5) ** gamma * gains * 2 - 1
    return torch.where(_chosen(key, 0.3, "light, whether"), changed, images)


def toned(images: Tensor, key: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] with other contrast and brightness (4 of 10) and gamma (3 of 10)."""
    changed = _chosen(key, 0.4, "tone")
    contrast = torch.where(changed, _drawn(key, 0.8, 1.2, "contrast"), 1.0)
    brightness = torch.where(changed, _drawn(key, -0.15, 0.15, "brightness"), 0.0)
    gamma = torch.where(_chosen(key, 0.3, "gamma, whether"), _drawn(key, 0.75, 1.3, "gamma"), 1.0)
    images = adjust_brightness(adjust_contrast(images, contrast.flatten(), clip_output=False), brightness.flatten())
    return images**gamma  # kornia's makes a constant on the host, and the step would wait for it


def softened(images: Tensor, key: Tensor) -> Tensor:
    """(N, 3, H, W), 15 of 100 blurred by a Gaussian of 0.3 to 1.2 pixels."""
    sigma = _drawn(key, 0.3, 1.2, "blur").flatten()[:, None].expand(-1, 2)
    blurred = gaussian_blur2d(images, 9, sigma)
    return torch.where(_chosen(key, 0.15, "blur, whether"), blurred, images)


def grainy(images: Tensor, key: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1], 15 of 100 with Gaussian noise of 0.01 to 0.05, the same in all three channels."""
    strength = torch.where(_chosen(key, 0.15, "grain, whether"), _drawn(key, 0.01, 0.05, "grain"), 0.0)
    return (images + strength * normal(key, (1, *images.shape[2:]), "grain, noise")).clamp(0, 1)


def _chosen(key: Tensor, probability: float, purpose: str) -> Tensor:
    """(N, 1, 1, 1) bool, true with this probability."""
    return uniform(key, (1, 1, 1), purpose) < probability


def _drawn(key: Tensor, low: float, high: float, purpose: str) -> Tensor:
    """(N, 1, 1, 1), uniform between low and high."""
    return _between(low, high, uniform(key, (1, 1, 1), purpose))


def _between(low: float, high: float, share: Tensor) -> Tensor:
    return low + (high - low) * share
