"""What an error says to a name that is none of the choices: the nearest of them, or all."""

from collections.abc import Iterable


def nearest_choice(name: str, choices: Iterable[str], *, alike: float = 0.6) -> str | None:
    """The choice that was probably meant, None where none is close: `alike` is the least of difflib's ratio, up to 1.

    Capitals make no difference.
    """
    import difflib  # errors only: a photo's command shall not wait for it

    written = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), written, n=1, cutoff=alike)
    return written[near[0]] if near else None


def meant_or_all(name: str, choices: Iterable[str]) -> str:
    """The nearest choice as a question, or all where none is close."""
    choices = list(choices)
    near = nearest_choice(name, choices)
    return f"did you mean {near}?" if near else f"there are: {', '.join(choices) or 'none'}"


def one_of(name: object, choices: Iterable[str]) -> str:
    """All choices, and the nearest as a question where one is close."""
    choices = list(choices)
    near = nearest_choice(str(name), choices)
    listed = f"one of {', '.join(choices) or 'none'}"
    return f"{listed}; did you mean {near}?" if near else listed
