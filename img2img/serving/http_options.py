"""Options from a request's query: those that say `over_http`, under the command line's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from img2img.choices import meant_or_all, one_of
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.option import OptionField, option_fields
from img2img.conversion.options import ConversionOptions
from img2img.conversion.translate_options import TranslateOptions
from img2img.errors import UsageError
from img2img.serving.model_cards import check_steerable, check_translates_so, model_names, served_card
from img2img.serving.settings import ServeSettings

TASKS: dict[str, type[ColorizeOptions] | type[TranslateOptions]] = {
    kind.model_task: kind for kind in (ColorizeOptions, TranslateOptions)
}
MOST_VALUES = 256
"""Of an option that may have several: as many as a file of hints may hold."""
_BOOLEANS = {"true": True, "1": True, "": True, "false": False, "0": False}


def settable(options: type[ConversionOptions]) -> dict[str, OptionField]:
    """The fields that HTTP may set, by the command line's names without the dashes."""
    return {each.name.removeprefix("--"): each for each in option_fields(options) if each.option.over_http}


def read_options(task: str, query: Iterable[tuple[str, str]], settings: ServeSettings) -> ConversionOptions:
    """Raises UsageError for an option that is none, stands twice, is not the caller's to set, or has a wrong value."""
    kind = TASKS[task]
    fields = settable(kind)
    chosen: dict[str, Any] = {}
    for name, text in query:
        field = fields.get(name)
        if field is None:
            raise UsageError(_unknown(name, kind, list(fields)))
        if field.several:
            chosen[field.field] = _more(field, chosen.get(field.field, []), text)
            continue
        if field.field in chosen:
            raise UsageError(f"--{name} stands twice")
        chosen[field.field] = _value(field, text)
    _check_model(task, chosen.get("model"))
    chosen |= {"max_pixels": settings.max_pixels, "device": settings.device, "runtime": settings.runtime}
    options = kind(**chosen).settled()
    if isinstance(options, TranslateOptions) and (options.cycle or options.judged):
        check_translates_so(options.model_name, cycle=options.cycle, score=options.judged)
    return options


def steered(options: ConversionOptions, beside: Mapping[str, Path]) -> ConversionOptions:
    """With the reference and the hints that came as parts of the request, by name.

    Raises UsageError where they are for nothing, or the model cannot be steered; for an influence of nothing, too.
    """
    if isinstance(options, ColorizeOptions):
        if beside:
            hints = beside.get("hints")
            options = replace(options, reference=beside.get("reference"), hints=str(hints) if hints else options.hints)
        options.check_influence()
        if options.reference or options.palette or options.warmth or options.hint or options.hints:
            check_steerable(served_card(options.model))
    elif beside:
        raise UsageError(f"the part {next(iter(beside))!r} is for colours: leave it out for {options.word}")
    return options


def _more(field: OptionField, before: list[str], text: str) -> list[str]:
    values = [*before, *(text.split(field.option.separator) if field.option.separator else [text])]
    if len(values) > MOST_VALUES:
        raise UsageError(f"{field.name}: more than {MOST_VALUES} of them")
    return values


def _value(field: OptionField, text: str) -> Any:
    """As the field's own type where the text can be one; else the text, of which the field says what is wrong."""
    if field.kind is bool:
        return _BOOLEANS.get(text.lower(), text)
    if field.kind in (int, float):
        try:
            return field.kind(text)
        except ValueError:
            return text
    return text


def _unknown(name: str, kind: type[ConversionOptions], names: list[str]) -> str:
    if name.replace("-", "_") in {each.field for each in option_fields(kind)}:
        return f"--{name} is the server's to set, not its callers'; there are: {', '.join(names)}"
    return f"no option {name!r}; {meant_or_all(name, names)}"


def _check_model(task: str, model: str | None) -> None:
    """Only by its name: a path would be a file of the server's."""
    if model is not None and model not in (names := model_names(task)):
        raise UsageError(f"--model {model!r}: give {one_of(model, names)}")
