"""ImageNet's classes by name, for the subject of a picture."""

from img2img.choices import meant_or_all, nearest_choice
from img2img.errors import SettingError
from img2img.networks.imagenet.subject_encoder import ANIMALS

ANIMAL = "animal"
"""Stands for all of ImageNet's animals."""


def class_indices(name: str) -> list[int]:
    """The classes that a name stands for: ANIMAL, or one of ImageNet's, capitals aside.

    Raises SettingError for another.
    """
    if name.lower() == ANIMAL:
        return list(range(ANIMALS))
    from torchvision.models import EfficientNet_B0_Weights  # the names only: nothing is fetched

    names: list[str] = EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]
    found = [index for index, each in enumerate(names) if each.lower() == name.lower()]
    if not found:
        near = nearest_choice(name, [ANIMAL, *names])
        hint = meant_or_all(name, [near]) if near else f"give {ANIMAL}, or a class of ImageNet such as zebra or orange"
        raise SettingError(f"subject={name}: no such class; {hint}")
    return found
