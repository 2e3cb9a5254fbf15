"""Randomness as a function of what it is for: the same numbers after a resume, and however many processes share a run.

Every training sample carries a key of its own. What is drawn for it (latents, interpolation points, crops) depends on
that key and a purpose alone: not on the batch around it, nor on what was drawn before.
"""

import hashlib
from math import prod, tau

import torch
from torch import Tensor

_LOW_63 = 2**63 - 1
_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number: the step of SplitMix64


def derive_seed(seed: int, purpose: str, *indices: int) -> int:
    """A seed in [0, 2**63) for one purpose (a name) at one place (step, sample, epoch ...)."""
    text = ":".join([str(seed), purpose, *map(str, indices)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") & _LOW_63


def uniform(key: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
    """(N, *shape) float32 in [0, 1), multiples of 2**-24, from keys (N,) int64."""
    place = torch.arange(1, prod(shape) + 1, device=key.device) * _GOLDEN
    start = _scramble(key + derive_seed(0, purpose))
    bits = _scramble(start[:, None] + place)
    return (_shift(bits, 40).float() / 2**24).view(-1, *shape)


def normal(key: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
    """(N, *shape) float32 from N(0, 1), cut at 5.8, from keys (N,) int64 (Box & Muller 1958)."""
    radius = (-2 * (1 - uniform(key, shape, f"{purpose}, radius")).log()).sqrt()
    angle = tau * uniform(key, shape, f"{purpose}, angle")
    drawn: Tensor = radius * angle.cos()
    return drawn


def _scramble(bits: Tensor) -> Tensor:
    """SplitMix64's finalizer (Steele et al. 2014, doi 10.1145/2660193.2660195): a bijection on 64 bits."""
    bits = (bits ^ _shift(bits, 30)) * -4658895280553007687  # 0xBF58476D1CE4E5B9
    bits = (bits ^ _shift(bits, 27)) * -7723592293110705685  # 0x94D049BB133111EB
    return bits ^ _shift(bits, 31)


def _shift(bits: Tensor, by: int) -> Tensor:
    """To the right as if unsigned: torch's own shift copies the sign."""
    shifted: Tensor = (bits >> by) & (2 ** (64 - by) - 1)
    return shifted
