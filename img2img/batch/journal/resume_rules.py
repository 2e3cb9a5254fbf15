"""Whether a photo is to be converted, given what the journal knows of its target: the rules of resuming."""

from collections.abc import Callable
from dataclasses import dataclass

from img2img.batch.in_color import IfColor
from img2img.batch.outcome import ALREADY_COLORED, COPIED, EDITED, EXISTS, LOW_SCORE, OWN_RESULT, UP_TO_DATE


@dataclass(frozen=True)
class Stamp:
    """A file's size and, in ns, the time of its last change; None where that is not known, as in a .zip."""

    size: int
    mtime: int | None


@dataclass(frozen=True)
class JournalEntry:
    """What the journal knows of a target from before.

    `photo` is its source's stamp and `made` its own, when it was written (None: not by us). `begun`: it was being
    written when the process ended. `may_replace`: --overwrite was said, and it was not reached.
    """

    source: str
    photo: Stamp
    settings: int
    status: str
    begun: bool
    may_replace: bool
    made: Stamp | None
    score: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """To convert, or why not. `may_replace`: whatever is there; else what `in_the_way` lets pass.

    `taken`: the target is another photo's.
    """

    due: bool = False
    may_replace: bool = False
    why_not: str | None = None
    taken: bool = False


def decide(
    entry: JournalEntry | None,
    *,
    source: str,
    photo: Stamp,
    settings: int,
    target: Stamp | None,
    overwrite: bool = False,
    least: float = 0.0,
    if_color: IfColor | None = None,
    leaves_own: bool = False,
) -> Decision:
    """What becomes of a photo whose target is as it is (None: not there, or empty).

    Missing results are made. Results of ours are made anew when the photo, the weights or the settings changed. What is
    not ours is left alone, and so is what somebody changed since. `least` is the score that a photo must have;
    `if_color` says what becomes of those in colour, `leaves_own` whether a translator's own results are left out:
    nobody need read either again.
    """
    if overwrite:
        return Decision(due=True, may_replace=True)
    same_photo = entry is not None and entry.photo == photo
    same = same_photo and entry is not None and entry.settings == settings
    if target is None:
        if same and _unwanted(entry, least):
            return Decision(why_not=LOW_SCORE)
        if same and leaves_own and OWN_RESULT in _left_out_for(entry):
            return Decision(why_not=OWN_RESULT)
        return Decision(due=True) if if_color != "skip" or not same_photo else _left_in_color(entry)
    if entry is None:
        return Decision(why_not=EXISTS)
    if entry.begun or (entry.status == "due" and entry.may_replace):
        return Decision(due=True, may_replace=True)
    if entry.made is None:
        return Decision(why_not=EXISTS)
    if entry.source != source and not same_photo:
        return Decision(taken=True)
    if same and entry.status == "done" and not _wanted_otherwise(entry, if_color):
        return Decision(why_not=UP_TO_DATE)
    edited = in_the_way(target, entry.made)
    return Decision(why_not=edited) if edited else Decision(due=True)


def in_the_way(target: Stamp | None, made: Stamp | None) -> str | None:
    """Why what is at a target must stay, when the last that we wrote there was `made`; None where nothing must."""
    if target is None or (made is not None and _is_ours(target, made)):
        return None
    return EXISTS if made is None else EDITED


def without_journal(
    is_there: Callable[[], bool], overwrite: bool, made_so: Callable[[], bool | None] = lambda: None
) -> str | None:
    """Why a target must stay that no journal knows of, a single photo's or a film's; None where it may be replaced.

    `made_so`: whether what is there says that we made it with these settings; None where it does not say that we did.
    """
    if overwrite or not is_there():
        return None
    so = made_so()
    return EXISTS if so is None else UP_TO_DATE if so else None


def _unwanted(entry: JournalEntry | None, least: float) -> bool:
    return entry is not None and LOW_SCORE in entry.flags and entry.score is not None and entry.score < least


def _left_out_for(entry: JournalEntry | None) -> tuple[str, ...]:
    """The flags of a photo that was skipped; none of any other."""
    return entry.flags if entry and entry.status == "skipped" else ()


def _left_in_color(entry: JournalEntry | None) -> Decision:
    """A photo that was skipped, for it is in colour, stays so; any other is due."""
    why_not = next((flag for flag in _left_out_for(entry) if flag in ALREADY_COLORED), None)
    return Decision(due=why_not is None, why_not=why_not)


def _wanted_otherwise(entry: JournalEntry, if_color: IfColor | None) -> bool:
    """Whether it is a copy of a photo in colour that is to be coloured anew, or the other way round."""
    if if_color in (None, "skip") or not ALREADY_COLORED & set(entry.flags):
        return False
    return (COPIED in entry.flags) != (if_color == "copy")


def _is_ours(target: Stamp, made: Stamp) -> bool:
    return target.size == made.size and target.mtime in (made.mtime, None)
