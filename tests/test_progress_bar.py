"""The line that says what a command is doing: on a terminal, where it goes away, and nowhere else."""

import io
import sys

import pytest

from img2img.progress_bar import status_line, takes_bars


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
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert takes_bars()
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert not takes_bars()
