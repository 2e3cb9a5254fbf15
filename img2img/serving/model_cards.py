"""The cards of the models at hand, as callers may name them."""

from __future__ import annotations

from functools import cache

from img2img.errors import UsageError
from img2img.model_file import ModelCard, find_model, models, read_card


@cache
def model_cards() -> dict[str, ModelCard]:
    """Each is read and checked once, which takes a moment."""
    return models()


def model_names(task: str) -> tuple[str, ...]:
    """Of those that do this."""
    return tuple(name for name, card in model_cards().items() if card.task == task)


def served_card(name: str) -> ModelCard:
    """Raises ModelError for one that was not there, or of no use, when the server began, as the default may be."""
    return model_cards().get(name) or read_card(find_model(name))


def is_steerable(card: ModelCard) -> bool:
    """Whether hints, references, palettes and warmth can be asked of it."""
    return bool(card.color_classes) and any(output.name == "logits" for output in card.outputs)


def check_steerable(card: ModelCard) -> None:
    """Raises UsageError, which a ModelError would be on the command line: callers choose models by their names."""
    if not is_steerable(card):
        raise UsageError(f"--model {card.name} cannot be steered, for it does not say how likely each colour is")


def check_translates_so(name: str, *, cycle: bool, score: bool) -> None:
    """Raises UsageError for what its card names no model for; whether that is there, is seen when it is opened."""
    card = served_card(name)
    if cycle and card.reverse is None:
        raise UsageError(f"--cycle: --model {name} names no model that goes back")
    if score and (card.critic is None or card.score is None):
        raise UsageError(f"--score and --min-score: --model {name} names no critic that gives one")
