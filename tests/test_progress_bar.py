"""The line that says what a command is doing: on a terminal, where it goes away, in a notebook, and nowhere else."""

import io
import sys

import pytest

from img2img.progress_bar import counted_lines, status_line, takes_bars


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stderr", "shown"), [(Screen(), True), (io.StringIO(), False)])
def test_status_is_for_terminals(stderr: io.StringIO, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with status_line() as tell:
        tell("a2b.onnx: [b]making its graph")
    assert ("a2b.onnx: [b]making its graph" in stderr.getvalue()) is shown
    assert shown or stderr.getvalue() == ""


def test_notebook_gets_lines_though_its_programs_write_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", said := Screen())
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert takes_bars()
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert not takes_bars()
    with status_line() as tell:
        tell("reading runs/a")
        tell("fitting")
    assert said.getvalue() == "reading runs/a ...\nfitting ...\n"


def test_notebook_hears_of_long_work_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 3.0, 10.0, 19.0, 21.0])
    monkeypatch.setattr("img2img.progress_bar.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", said := io.StringIO())
    tell = counted_lines("measuring", "photos")
    for done in (100, 200, 300, 1234):
        tell(done, 2000)
    assert said.getvalue() == "measuring: 200 of 2,000 photos\nmeasuring: 1,234 of 2,000 photos\n"
