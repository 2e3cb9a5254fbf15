"""Which options of `img2img evaluate` a model can take, known before any work and without torch."""

from collections.abc import Sequence

from img2img.errors import UsageError
from img2img.model_file import find_model, read_card


def draws_from_noise(model: str, photo_options: Sequence[str]) -> bool:
    """Whether the model is a sampler; raises UsageError for one with options that only photos have a use for."""
    sampler = read_card(find_model(model)).task == "generate"
    if sampler and photo_options:
        raise UsageError(f"{model} draws from noise: {', '.join(photo_options)} are for colorizers; leave them away")
    return sampler
