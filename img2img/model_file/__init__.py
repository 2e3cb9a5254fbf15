"""The model file: its card, how it is packed, and where it is found. `adding/` is imported where it is asked for."""

from img2img.model_file.added_folder import name_of_model
from img2img.model_file.card import ModelCard, TensorSpec
from img2img.model_file.container import (
    CARD_KEY,
    attach_card,
    card_for_weights,
    check_model,
    for_several,
    read_card,
    read_model,
    rewrite_card,
)
from img2img.model_file.lookup import (
    available_models,
    checkpoints,
    find_model,
    is_run,
    models,
    named_model,
    shipped_models,
)

__all__ = [
    "CARD_KEY",
    "ModelCard",
    "TensorSpec",
    "attach_card",
    "available_models",
    "card_for_weights",
    "check_model",
    "checkpoints",
    "find_model",
    "for_several",
    "is_run",
    "models",
    "name_of_model",
    "named_model",
    "read_card",
    "read_model",
    "rewrite_card",
    "shipped_models",
]
