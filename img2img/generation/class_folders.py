"""Pictures of each class as an ImageFolder tree, CLASS/00000.png: further training data for a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from img2img.atomic_file import check_stays_inside, exists
from img2img.errors import ModelError
from img2img.generation.picture_file import write_picture
from img2img.inference.sampler import BATCH, Sampler
from img2img.lab import Floats
from img2img.photo.metadata.provenance import Provenance


def write_class_folders(
    sampler: Sampler,
    folder: Path,
    labels: Sequence[int],
    count: int,
    *,
    seed: int,
    truncation: float | None,
    offset: Floats,
    overwrite: bool,
    provenance: Provenance | None = None,
) -> int:
    """Draw `count` pictures of each class; returns how many were written.

    Those that are there are kept unless `overwrite` is set, so the same command goes on where it was stopped. The
    i-th of a class is the same picture however many are asked for. `offset` (latent_size,) is added to each latent.
    Raises UnwritablePhoto, and before any is drawn where a link leads a class's folder out of `folder`.
    """
    for label in labels:
        check_stays_inside(folder / _folder_name(sampler, label), folder)
    return sum(
        _write_class(
            sampler,
            [(index, folder / _folder_name(sampler, label) / f"{index:05d}.png") for index in range(count)],
            label,
            sampler.latents(count, seed, truncation=truncation, stream=label) + offset,
            overwrite,
            provenance,
        )
        for label in labels
    )


def _write_class(
    sampler: Sampler,
    targets: Sequence[tuple[int, Path]],
    label: int,
    z: Floats,
    overwrite: bool,
    provenance: Provenance | None,
) -> int:
    made = provenance and replace(provenance, options={**provenance.options, "label": sampler.classes[label]})
    missing = [(index, path) for index, path in targets if overwrite or not exists(path)]
    for first in range(0, len(missing), BATCH):
        part = missing[first : first + BATCH]
        drawn = sampler.sample(z[[index for index, _ in part]], np.full(len(part), label))
        for picture, (_, path) in zip(drawn, part, strict=True):
            write_picture(picture, path, made)
    return len(missing)


def _folder_name(sampler: Sampler, label: int) -> str:
    """The class's name; a stranger's model file must not name a folder elsewhere."""
    name = sampler.classes[label]
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0"):
        raise ModelError(f"{sampler.source}: its class {name!r} cannot be a folder's name")
    return name
