"""Which data a training takes for each domain of its recipe, from what was named, or its own set when nothing was."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from img2img.data.data_item import Words, data_item, refuse_missing
from img2img.data.listing import DIGITS
from img2img.errors import DataError, UsageError

_log = logging.getLogger(__name__)

FOLDERS = ("trainA", "trainB")
"""Where a set of two domains has its training images, as CycleGAN's authors laid them out."""


@dataclass(frozen=True)
class ChosenData:
    """What to open for each domain, and how that was named."""

    named: Words
    """As `--data` has it: what a model's card says of its data."""
    domains: Mapping[str, Words]


def chosen_data(
    recipe: str,
    domains: Sequence[str],
    data: Words,
    by_domain: Mapping[str, Words],
    *,
    announce: bool,
    side_by_side: bool = False,
) -> ChosenData:
    """From `data`, or `by_domain` (--a and --b), or else the recipe's default set, said on stderr if `announce`.

    With `side_by_side` an error offers --ab as well.

    Raises UsageError when these contradict each other or the recipe, SettingError for a weight that cannot be, and
    DataError when a set has not the layout of two domains, or the default set is not here; that one names the command
    that fetches it.
    """
    if by_domain:
        _check_named(recipe, domains, data, by_domain)
        return ChosenData([word for domain in domains for word in by_domain[domain]], by_domain)
    ways = _ways(domains, side_by_side=side_by_side)
    data = data or _default(recipe, ways, announce=announce)
    if len(domains) == 1:
        return ChosenData(data, {domains[0]: data})
    return ChosenData(data, dict(zip(domains, _pair(recipe, domains, data, ways), strict=True)))


def _check_named(recipe: str, domains: Sequence[str], data: Words, by_domain: Mapping[str, Words]) -> None:
    if len(domains) == 1:
        raise UsageError(f"--{next(iter(by_domain))}: {recipe} learns from one set of images; give it as --data")
    if others := [domain for domain in by_domain if domain not in domains]:
        raise UsageError(f"--{others[0]}: {recipe} learns from images that are no pairs; give --a and --b")
    if data:
        raise UsageError("--data and --a or --b: give either the set of both, or each by itself")
    missing = [domain for domain in domains if domain not in by_domain]
    if missing:
        raise UsageError(f"--{next(iter(by_domain))} without --{missing[0]}: {recipe} learns from images of both")


def _default(recipe: str, ways: str, *, announce: bool) -> list[str]:
    from img2img.data.download.catalogue import default_data

    default = default_data(recipe)
    if default.data != DIGITS and not Path(default.data).exists():
        how = f"`{default.fetch}` fetches it; or give " if default.fetch else "give "
        raise DataError(f"img2img train {recipe}: the default set, {default.data}, is not here; {how}{ways}")
    if announce:
        _log.info("data: %s, the default for %s; --data takes another set", default.data, recipe)
    return [default.data]


def _ways(domains: Sequence[str], *, side_by_side: bool) -> str:
    if len(domains) == 1:
        return "--data FOLDER or --data SHARD.tar (repeatable)"
    each = " ".join(f"--{domain} FOLDER_OR_TAR" for domain in domains)
    both = ", or --ab FOLDER_OR_TAR of pictures side by side" if side_by_side else ""
    return f"--data FOLDER with {' and '.join(FOLDERS)} in it, or {each}{both}"


def _pair(recipe: str, domains: Sequence[str], data: Words, ways: str) -> list[Words]:
    """The sources of each of two domains."""
    for word in data:
        if data_item(word).weight is not None:
            each = " ".join(f"--{domain} ITEM=WEIGHT" for domain in domains)
            raise UsageError(
                f"{word}: a weight shares out one set's samples among several items, and --data names one for each of "
                f"{' and '.join(domains)}; give {each} (repeatable), or leave out the weight"
            )
    if len(data) > 2:
        raise UsageError(f"--data given {len(data)} times, and {recipe} learns from two sets: give {ways}")
    if len(data) == 2:
        for word in data:
            if _has_both(Path(word)):
                raise DataError(f"{word}: has {' and '.join(FOLDERS)} in it, so it is both sets: give it alone")
        return [[word] for word in data]
    (word,) = data
    if not _has_both(Path(word)):
        _refuse_single(recipe, word, ways)
    return [[Path(word) / folder] for folder in FOLDERS]


def _has_both(path: Path) -> bool:
    return all((path / folder).is_dir() for folder in FOLDERS)


def _refuse_single(recipe: str, word: str | Path, ways: str) -> NoReturn:
    refuse_missing([word])
    there = [folder for folder in FOLDERS if (Path(word) / folder).is_dir()]
    what = f"{there[0]} is in it, its other half is not" if there else "a single set of images"
    raise DataError(f"{word}: {what}, and {recipe} learns from two: give {ways}")
