"""Short videos made of stills: a picture that moves over black and bounces off the walls.

The moving digits of Srivastava et al. 2015 (arXiv 1502.04681, section 4.1), with one picture a video.
"""

from math import tau

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.randomness import uniform

PICTURE_SHARE = 5 / 8
"""Side of the moving picture as a share of the frame's."""
SPEED = (1 / 32, 3 / 32)
"""Slowest and fastest, in frame sides per frame: 1 to 3 pixels at 32."""


def moving(stills: Tensor, key: Tensor, frames: int) -> Tensor:
    """(N, 3, frames, S, S) in [-1, 1] from stills (N, 3, S, S) and keys (N,), which give start and velocity."""
    size = stills.shape[-1]
    side = max(1, round(size * PICTURE_SHARE))
    picture = F.interpolate(stills + 1, size=(side, side), mode="bilinear", antialias=True)
    corners = paths(key, frames, size, size - side)
    placed = _placed(picture.repeat_interleave(frames, 0), corners.flatten(0, 1), size)
    return placed.view(-1, frames, *placed.shape[1:]).transpose(1, 2) - 1


def paths(key: Tensor, frames: int, size: int, reach: int) -> Tensor:
    """(N, frames, 2): top and left of the picture in pixels, within 0 and `reach`, going straight between bounces."""
    start = uniform(key, (1, 2), "moving, start") * reach
    angle = uniform(key, (1, 1), "moving, angle") * tau
    slowest, fastest = SPEED
    speed = (slowest + (fastest - slowest) * uniform(key, (1, 1), "moving, speed")) * size
    time = torch.arange(frames, device=key.device)[None, :, None]
    unbounded = start + time * speed * torch.cat([angle.sin(), angle.cos()], 2)
    # A mirror at each wall folds the straight line into a zigzag of period 2 * reach.
    return reach - (unbounded.remainder(2 * reach) - reach).abs()


def _placed(picture: Tensor, corners: Tensor, size: int) -> Tensor:
    """(N, 3, size, size): pictures (N, 3, h, w) on 0, their top left corners at (N, 2), between pixels if need be."""
    pixels = torch.arange(size, device=picture.device)
    rows, columns = (pixels - corners[:, axis, None] for axis in (0, 1))  # in the picture's own pixels
    y, x = ((2 * place + 1) / picture.shape[-1] - 1 for place in (rows, columns))  # as grid_sample counts
    grid = torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=3)
    return F.grid_sample(picture, grid, padding_mode="zeros", align_corners=False)
