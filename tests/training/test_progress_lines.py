"""training/progress.py: without a terminal a person hears of a training at least every LONG_SILENCE seconds."""

import pytest

from img2img.training.progress import LONG_SILENCE, Lines


def test_a_slow_training_is_heard_of_between_records(capsys: pytest.CaptureFixture[str]) -> None:
    clock = [0.0]
    lines = Lines(400, now=lambda: clock[0])
    for step in range(1, 8):
        clock[0] += LONG_SILENCE / 2
        lines.step(step, {"generator": 1.5} if step == 5 else None)
    assert capsys.readouterr().err.splitlines() == [
        "step 2/400",
        "step 4/400",
        "step 5/400  generator 1.5",
        "step 7/400",
    ]
