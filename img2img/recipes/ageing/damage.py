"""What happens to a print or a negative that is handled: dust, scratches, creases, and the border around it.

Arguments and results as in tones.py.
"""

from math import pi

import torch
from torch import Tensor

from img2img.randomness import uniform
from img2img.recipes.ageing.plane import bell, drawn, places, toward

SPECKS = 40
SCRATCHES = 4


def dusty(grey: Tensor, share: Tensor, key: Tensor) -> Tensor:
    """Up to 40 specks, that share of them there: white where dust lay on the negative, dark (1 of 4) on the print."""
    y, x = places(grey)
    here, down, across, radius, dense = uniform(key, (5, SPECKS, 1), "dust").unbind(1)
    radius, height, width = 0.3 + 1.0 * radius**2, *grey.shape[2:]
    opacity = torch.where(here < share[:, 0], 1 + dense, 0.0)
    rows = opacity * bell(y.mT - height * down, radius)
    columns = bell(x - width * across, radius)
    cover = (rows.mT @ columns).clamp(max=1)[:, None]
    return toward(grey, _mostly_light(key, "dust, tone") * cover)


def scratched(grey: Tensor, opacity: Tensor, key: Tensor) -> Tensor:
    """One to four thin straight lines, nearly upright as a film's or (3 of 10) lying."""
    (turned,) = drawn(key, "scratches, turn", (0, 1))
    here, slant, share, wide, down, across = uniform(key, (6, SCRATCHES, 1, 1), "scratches").unbind(1)
    angle = slant - 0.5 + torch.where(turned < 0.3, pi / 2, 0.0)
    first = torch.arange(SCRATCHES, device=key.device)[:, None, None] == 0
    half = torch.where(first | (here < 0.5), (0.1 + 0.6 * share) * max(grey.shape[2:]), 0.0)
    distance = _from_line(grey, angle, down, across).abs()
    within = _from_line(grey, angle + pi / 2, down, across).abs() < half
    line = torch.where(within, distance / (0.6 + 0.7 * wide), 1.0).amin(1, keepdim=True)
    return toward(grey, _mostly_light(key, "scratches, tone") * opacity * (1 - line).clamp(min=0))


def creased(grey: Tensor, opacity: Tensor, key: Tensor) -> Tensor:
    """A fold through the whole print: a white line where the emulsion broke, a shade on either side of it."""
    angle, broad, *start = drawn(key, "crease", (0, pi), (2, 6), (0.15, 0.85), (0.15, 0.85))
    distance = _from_line(grey, angle, *start)
    shade = 0.4 * distance.sign() * torch.exp(-distance.abs() / broad)
    crack = (1.3 - distance.abs()).clamp(0, 1)
    return toward(toward(grey, opacity * shade), opacity * crack)


def _from_line(grey: Tensor, angle: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Signed distances (N, K, H, W) in pixels from lines through points, which are shares of the height and the width.

    An angle of 0 is an upright line.
    """
    y, x = places(grey)
    height, width = grey.shape[2:]
    return (x - width * across) * angle.cos() + (y - height * down) * angle.sin()


def _mostly_light(key: Tensor, purpose: str) -> Tensor:
    """(N, 1, 1, 1): 1 for light in 3 of 4, else -1 for dark."""
    return torch.where(drawn(key, purpose, (0, 1))[0] < 0.75, 1.0, -1.0)


def framed(grey: Tensor, width: Tensor, key: Tensor) -> Tensor:
    """The paper or the dark mount around the print: outside of `picture` there is one tone."""
    which, light, dark = drawn(key, "frame, tone", (0, 1), (0.75, 0.97), (0.02, 0.2))
    return torch.where(picture(grey, width, key), grey, torch.where(which < 0.7, light, dark))


def picture(grey: Tensor, width: Tensor, key: Tensor) -> Tensor:
    """(N, 1, H, W) bool: where a frame of that width, a share of the picture's side, leaves the photo to be seen.

    On each side there is one or not, half as wide as that at least; all of them in half of the photos.
    """
    there, whole, share = uniform(key, (3, 4, 1, 1), "frame").unbind(1)
    broad = torch.where((there < 0.5) | (whole[:, :1] < 0.5), width * (0.5 + 0.5 * share), 0.0)
    y, x = places(grey)
    top, bottom, left, right = broad.chunk(4, 1)
    down, across = y / grey.shape[2], x / grey.shape[3]
    return (down > top) & (down < 1 - bottom) & (across > left) & (across < 1 - right)
