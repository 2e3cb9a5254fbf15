"""Randomness as a function of what it is for, so that a resumed run draws what an uninterrupted one draws."""

import hashlib


def derive_seed(seed: int, purpose: str, *indices: int) -> int:
    """A seed in [0, 2**63) for one purpose (a name) at one place (step, sample, epoch ...)."""
    text = ":".join([str(seed), purpose, *map(str, indices)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
