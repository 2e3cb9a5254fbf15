"""A prior over a colorizer's color classes: of a reference photo, of a palette, of a warmth.

A palette and a warmth are weights that hold for any photo. A reference says how large a share of the picture each
class should get, and weights that bring that about depend on the photo: they are fitted to its own posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from img2img.errors import UsageError
from img2img.lab import Floats, rgb_to_lab
from img2img.photo import Photo
from img2img.steering.color_classes import ColorClasses
from img2img.steering.colors import Color, ab_of

SMALL = 128  # pixels: the longer side of the copy of a reference that is counted
STEPS = 4
OWN_SHARE = 0.03
"""Of the shares that a photo is fitted to, its own: no class is ruled out because the reference has none of it."""
EVERY = 3  # the fit looks at every third place of every third row
NEGLIGIBLE = 1e-3
"""A class that gets less of every place is left out of the mean of the colours: most are, which saves its time."""
LEAST = 1e-8
"""The least weight, the largest being 1: times exp(-60) float32 still holds it."""
PALETTE_SIGMA = 8.0  # units of ab
USUAL_SHARE = 0.05
"""Of a palette's shares, the training set's: what is not on the palette becomes rarer, and not impossible."""
WARM_AXIS = np.array([0.37, 0.93], np.float32)
"""From daylight toward a lamp's light in ab: a white sheet under CIE illuminant A lies at (25, 62), seen from D65."""
WARM_ODDS, WARM_REACH = 2.0, 10.0
"""Warmth 1 makes clearly warm classes exp(2) times as likely beside grey; clearly: 10 units of ab and more."""


@dataclass(frozen=True, eq=False)
class Prior:
    """`weights` (Q,) of palette and warmth, the largest 1, and the `shares` (Q,) of a reference, None without one."""

    classes: ColorClasses
    weights: Floats
    shares: Floats | None = None
    influence: float = 1.0

    def fitted(self, logits: Floats) -> Floats:
        """(Q,), what the annealed softmax of each class is multiplied by for a photo of logits (Q, h, w).

        In (0, 1], the largest 1.
        """
        return self._fitted(_sharpened(logits, self.classes))

    def annealed_mean(self, logits: Floats) -> Floats:
        """ab (2, 4 h, 4 w) of logits (Q, h, w); classes that are negligible everywhere are left out."""
        sharp = _sharpened(logits, self.classes)
        weights = self._fitted(sharp)
        largest = weights * (sharp / (weights @ sharp)).max(1)
        largest *= self.classes.sharpened(logits.max((1, 2))) / sharp.max(1)  # where the fit did not look
        return self.classes.annealed_mean(logits, np.where(largest < NEGLIGIBLE, 0, weights))

    def _fitted(self, sharp: Floats) -> Floats:
        if self.shares is None:
            return self.weights
        return _scaled(self.weights * fitted_weights(self.shares, sharp, self.classes) ** self.influence)


def class_prior(
    classes: ColorClasses,
    *,
    reference: Photo | None = None,
    influence: float = 1.0,
    palette: Sequence[Color] = (),
    warmth: float = 0.0,
) -> Prior | None:
    """The product of what is asked for; None where nothing is. UsageError for numbers out of range.

    `influence`, 0 (none) to 1, is that of the reference and of the palette. `warmth` is from -1, cooler, to 1.
    """
    _check("influence", influence, 0, 1)
    _check("warmth", warmth, -1, 1)
    if not influence:
        reference, palette = None, ()
    if reference is None and not palette and not warmth:
        return None
    weights = warmth_weights(warmth, classes)
    if palette:
        weights = weights * palette_weights(palette, classes) ** influence
    shares = None if reference is None else reference_shares(reference, classes)
    return Prior(classes, _scaled(weights), shares, influence)


def palette_weights(palette: Sequence[Color], classes: ColorClasses) -> Floats:
    """(Q,): the shares of a mixture of Gaussians at the palette's colours, over those of the training set."""
    distance = np.stack([np.square(classes.centres - ab_of(color)).sum(1) for color in palette])
    bump = np.exp((distance.min(1, keepdims=True) - distance) / (2 * PALETTE_SIGMA**2))
    shares = np.mean(bump / bump.sum(1, keepdims=True), 0)
    usual = classes.smoothed(classes.frequency)
    weights: Floats = (1 - USUAL_SHARE) * classes.smoothed(shares) / usual + USUAL_SHARE
    return weights


def warmth_weights(warmth: float, classes: ColorClasses) -> Floats:
    """(Q,): grey 1, warm and cool classes more and less; bounded, for orange is no better a guess than beige."""
    warm = np.tanh(classes.centres @ WARM_AXIS / np.float32(WARM_REACH))
    weights: Floats = np.exp(np.float32(WARM_ODDS * warmth) * warm)
    return weights


def reference_shares(reference: Photo, classes: ColorClasses) -> Floats:
    """(Q,), sum 1: how much of a photo each class has. What is transparent does not count, unless all of it is."""
    small = small_reference(reference)
    rgb = small.pixels.astype(np.float32) / np.float32(255)
    ab = rgb_to_lab(np.moveaxis(rgb, 2, 0))[1:].reshape(2, -1).T
    alpha = np.full(len(ab), 255, np.uint8) if small.alpha is None else small.alpha.ravel()
    opaque = alpha.astype(np.float32) / np.float32(255)
    return classes.shares(ab, opaque if opaque.any() else np.ones_like(opaque))


def small_reference(reference: Photo) -> Photo:
    """All of a reference that counts: 8-bit RGB, of SMALL pixels at most, and its transparency. Its own, unchanged."""
    image = reference.to_image()
    image, alpha = image.convert("RGB"), image.getchannel("A") if reference.alpha is not None else None
    for each in filter(None, (image, alpha)):
        each.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
    return Photo(np.asarray(image), "RGB", None if alpha is None else np.asarray(alpha))


def fitted_weights(shares: Floats, sharp: Floats, classes: ColorClasses) -> Floats:
    """(Q,), the largest 1: weights that bring a mean posterior close to the shares (Q,).

    The posterior of N places is sharp (Q, N) = exp(logits / temperature) over its sum at each.

    A few steps w <- w (shares / mean posterior), both smoothed: Saerens, Latinne & Decaestecker 2002, with the prior
    known and the posterior fitted to it. To the end it would be Sinkhorn's scaling.
    """
    weights: Floats = np.ones(len(shares), np.float32)
    target: Floats = classes.smoothed((1 - OWN_SHARE) * shares + OWN_SHARE * _mean_posterior(weights, sharp))
    for _ in range(STEPS):
        weights = _scaled(weights * target / classes.smoothed(_mean_posterior(weights, sharp)))
    return weights


def _mean_posterior(weights: Floats, sharp: Floats) -> Floats:
    """(Q,), of weights (Q,) times sharp (Q, N)."""
    mean = weights * (sharp @ np.reciprocal(weights @ sharp)) / np.float32(sharp.shape[1])
    return np.asarray(mean, np.float32)


def _sharpened(logits: Floats, classes: ColorClasses) -> Floats:
    """exp(logits / temperature) (Q, N) at some places of logits (Q, h, w)."""
    return classes.sharpened(logits[:, ::EVERY, ::EVERY].reshape(len(logits), -1))


def _scaled(weights: Floats) -> Floats:
    return np.asarray(np.maximum(weights / weights.max(), LEAST), np.float32)


def _check(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name} {value} is not from {low} to {high}")
