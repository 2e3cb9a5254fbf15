"""batch/journal/resume_rules.py: what is converted again, what is left alone, rule by rule."""

from dataclasses import replace
from typing import Any

import pytest

from img2img.batch.journal.resume_rules import (
    Decision,
    JournalEntry,
    Stamp,
    decide,
    in_the_way,
    without_journal,
)
from img2img.batch.outcome import EDITED, EXISTS, LOW_SCORE, OWN_RESULT, UP_TO_DATE

PHOTO, MADE, OTHER = Stamp(100, 1), Stamp(200, 2), Stamp(300, 3)
DONE = JournalEntry("in/a.jpg", PHOTO, 1, "done", begun=False, may_replace=False, made=MADE, score=None, flags=())
BEGUN = replace(DONE, status="due", begun=True, made=None)
OWN = replace(DONE, status="skipped", made=None, flags=(OWN_RESULT,))
CONVERT, REPLACE = Decision(due=True), Decision(due=True, may_replace=True)


def leave(reason: str) -> Decision:
    return Decision(why_not=reason)


def decided(entry: JournalEntry | None, target: Stamp | None, **changes: Any) -> Decision:
    told: dict[str, Any] = {"source": "in/a.jpg", "photo": PHOTO, "settings": 1, **changes}
    return decide(entry, target=target, **told)


@pytest.mark.parametrize(
    ("entry", "target", "changes", "expected"),
    [
        pytest.param(None, None, {}, CONVERT, id="new"),
        pytest.param(None, OTHER, {}, leave(EXISTS), id="somebody's file is there"),
        pytest.param(None, OTHER, {"overwrite": True}, REPLACE, id="somebody's file, --overwrite"),
        pytest.param(DONE, MADE, {}, leave(UP_TO_DATE), id="done"),
        pytest.param(DONE, OTHER, {}, leave(UP_TO_DATE), id="done, then edited: nothing to do all the same"),
        pytest.param(DONE, None, {}, CONVERT, id="done, then removed"),
        pytest.param(DONE, MADE, {"settings": 2}, CONVERT, id="other settings"),
        pytest.param(DONE, MADE, {"photo": OTHER}, CONVERT, id="changed photo"),
        pytest.param(DONE, OTHER, {"settings": 2}, leave(EDITED), id="edited, other settings"),
        pytest.param(DONE, OTHER, {"photo": OTHER}, leave(EDITED), id="edited, changed photo"),
        pytest.param(
            DONE, Stamp(200, None), {"settings": 2}, CONVERT, id="in an archive, where only the size is known"
        ),
        pytest.param(DONE, Stamp(201, None), {"settings": 2}, leave(EDITED), id="in an archive, of another size"),
        pytest.param(DONE, MADE, {"source": "moved/a.jpg"}, leave(UP_TO_DATE), id="the same photo from elsewhere"),
        pytest.param(DONE, MADE, {"source": "b/a.jpg", "photo": OTHER}, Decision(taken=True), id="another photo's"),
        pytest.param(DONE, None, {"source": "b/a.jpg", "photo": OTHER}, CONVERT, id="another photo's, removed"),
        pytest.param(BEGUN, None, {}, CONVERT, id="killed before the rename"),
        pytest.param(BEGUN, OTHER, {}, REPLACE, id="killed after the rename"),
        pytest.param(replace(BEGUN, begun=False), OTHER, {}, leave(EXISTS), id="put there before it was begun"),
        pytest.param(replace(BEGUN, begun=False, may_replace=True), OTHER, {}, REPLACE, id="--overwrite, interrupted"),
        pytest.param(replace(DONE, status="due"), MADE, {}, CONVERT, id="to be made anew, interrupted"),
        pytest.param(replace(DONE, status="due"), OTHER, {}, leave(EDITED), id="to be made anew, interrupted, edited"),
        pytest.param(replace(DONE, status="failed", made=None), None, {}, CONVERT, id="failed"),
        pytest.param(OWN, None, {"leaves_own": True}, leave(OWN_RESULT), id="a result of ours, left out"),
        pytest.param(OWN, None, {}, CONVERT, id="a result of ours, named alone"),
        pytest.param(OWN, None, {"leaves_own": True, "settings": 2}, CONVERT, id="a result, of another model perhaps"),
        pytest.param(OWN, None, {"leaves_own": True, "photo": OTHER}, CONVERT, id="a result of ours, then changed"),
        pytest.param(replace(DONE, status="failed"), MADE, {}, CONVERT, id="failed where an older result is"),
        pytest.param(replace(DONE, status="skipped", made=None), OTHER, {}, leave(EXISTS), id="left alone before"),
    ],
)
def test_rule(entry: JournalEntry | None, target: Stamp | None, changes: dict[str, Any], expected: Decision) -> None:
    assert decided(entry, target, **changes) == expected


@pytest.mark.parametrize(
    ("target", "made", "expected"),
    [
        pytest.param(None, None, None, id="nothing is there"),
        pytest.param(MADE, MADE, None, id="ours"),
        pytest.param(Stamp(MADE.size, None), MADE, None, id="ours, packed"),
        pytest.param(OTHER, MADE, EDITED, id="ours, edited"),
        pytest.param(OTHER, None, EXISTS, id="somebody's"),
    ],
)
def test_only_what_we_wrote_makes_way(target: Stamp | None, made: Stamp | None, expected: str | None) -> None:
    assert in_the_way(target, made) == expected


def test_photo_of_a_low_score_is_looked_at_again_only_when_less_is_asked() -> None:
    low = replace(DONE, status="skipped", made=None, score=0.2, flags=(LOW_SCORE,))
    assert decided(low, None, least=0.3) == leave(LOW_SCORE)
    assert decided(low, None, least=0.2) == CONVERT
    assert decided(low, None) == CONVERT
    assert decided(low, None, least=0.3, settings=2) == CONVERT
    assert decided(low, None, least=0.3, photo=OTHER) == CONVERT


@pytest.mark.parametrize(
    ("there", "overwrite", "made_so", "stays"),
    [
        (False, False, None, None),
        (True, True, None, None),
        (True, False, None, EXISTS),
        (True, False, True, UP_TO_DATE),
        (True, False, False, None),
    ],
)
def test_without_a_journal_a_results_own_record_decides(
    there: bool, overwrite: bool, made_so: bool | None, stays: str | None
) -> None:
    assert without_journal(lambda: there, overwrite, lambda: made_so) == stays
