"""The cards of the models at hand, as callers may name them."""

from __future__ import annotations

from functools import cache

from img2img.errors import ModelError
from img2img.model_file import ModelCard, available_models, read_card


@cache
def model_cards() -> dict[str, ModelCard]:
    """By name; a file that cannot be used is left out. Each is read and checked once, which takes a moment."""
    cards: dict[str, ModelCard] = {}
    for path in available_models():
        try:
            cards[path.stem] = read_card(path)
        except ModelError:
            continue
    return cards


def model_names(task: str) -> tuple[str, ...]:
    """Of those that do this."""
    return tuple(name for name, card in model_cards().items() if card.task == task)
