"""A quick classifier of labelled pictures: logistic regression on small grey copies."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.errors import DataError

SIDE = 16  # pixels that the classifier sees
MOST = 5_000  # pictures that it learns from
HELD_OUT = 5  # one in so many measures it


class PictureClassifier:
    """Trained on a source's middle squares, as a sampler of `size` px draws them.

    `accuracy` is the share of held-out pictures that it gets right. Raises DataError for pictures without labels.
    """

    def __init__(self, source: ImageSource, size: int) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        self.classes = source.classes
        if len(self.classes) < 2:
            raise DataError(f"{source.name(0)}: no labels: give digits, or a folder with a sub-folder for each class")
        chosen = np.unique(np.linspace(0, len(source) - 1, MOST).astype(int))
        seen = np.stack([_seen(centre_square(source.rgb(int(index)), size) / 255) for index in chosen])
        labels = np.array([source.label(int(index)) for index in chosen])
        held_out = np.random.default_rng(0).permutation(len(chosen)) % HELD_OUT == 0
        self._model = LogisticRegression(C=0.1, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough: its accuracy is measured
            self._model.fit(seen[~held_out], labels[~held_out])
        self.accuracy = float(self._model.score(seen[held_out], labels[held_out]))

    def probabilities(self, pictures: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, classes) for pictures (N, H, W, C) in [0, 1]; 0 for a class that no picture was seen of."""
        found = np.zeros((len(pictures), len(self.classes)))
        found[:, self._model.classes_] = self._model.predict_proba(np.stack([_seen(picture) for picture in pictures]))
        return found

    def probability_of(self, label: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        return lambda pictures: self.probabilities(pictures)[:, label]


def _seen(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """(SIDE * SIDE,): a picture (H, W, C) in [0, 1], grey and shrunk."""
    grey = Image.fromarray(picture.mean(2).astype(np.float32))
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64).ravel()
