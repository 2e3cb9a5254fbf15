"""What a command is doing and how far it is: on a terminal, where it goes away, in a notebook, and nowhere else."""

import io
import re
import sys
import time

import pytest

from img2img.progress_bar import counted_progress, status_line, takes_bars


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)


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
    assert takes_bars()
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert not takes_bars()
    with status_line() as tell:
        tell("reading runs/a")
        tell("fitting")
    assert said.getvalue() == "reading runs/a ...\nfitting ...\n"


@pytest.mark.parametrize("stream", [Screen, io.StringIO])
def test_notebook_hears_of_long_work_from_time_to_time(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 3.0, 10.0, 19.0, 21.0])
    monkeypatch.setattr("img2img.progress_bar.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", said := stream())
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    with counted_progress("colouring", unit="photos", total=2000) as advance:
        for done in (100, 200, 300, 1234):
            advance(done, 2000, "[red]7 failed")
    assert said.getvalue() == "colouring: 200 of 2,000 photos\ncolouring: 1,234 of 2,000 photos\n"


@pytest.mark.parametrize(
    ("doing", "name", "unit", "done", "total", "line"),
    [
        ("", "a.mp4", "frames", 300, 2400, "a.mp4: 300 of 2,400 frames"),
        ("colouring", "a.mp4", "frames", 300, None, "a.mp4: 300 frames"),
        ("downloading", "", "bytes", 12_345_678, 45_000_000, "downloading: 12.3 of 45.0 MB"),
        ("downloading", "", "bytes", 12_345_678, None, "downloading: 12.3 MB"),
        ("measuring photos", "", "", 3, 7, "measuring photos: 3 of 7"),
    ],
)
def test_notebook_reads_counts(
    doing: str, name: str, unit: str, done: int, total: int | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("img2img.progress_bar.TELLING_PAUSE", 0.0)
    monkeypatch.setattr(sys, "stderr", said := Screen())
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    with counted_progress(doing, name=name, unit=unit) as advance:
        advance(done, total)
    assert said.getvalue() == line + "\n"


def test_terminal_has_a_bar_whose_note_stays_until_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("img2img.progress_bar.TELLING_PAUSE", 0.0)
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    with counted_progress("work", name="a.mp4", note="measuring") as advance:
        advance(3, 7)
    assert re.search(r"a\.mp4 .*3/7.* measuring", screen.getvalue())
    assert "work" not in screen.getvalue()
    with counted_progress(total=7, note="measuring") as advance:
        advance(3, 7, "2 failed")
    assert re.search(r"3/7.* 2 failed", screen.getvalue())


def test_speed_is_without_what_an_earlier_run_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    with counted_progress(name="a.mp4", unit="frames") as advance:
        advance(5000, 6000)
        time.sleep(0.05)
        advance(5001, 6000)
    assert 0 < float(re.findall(r"5001/6000.* (\S+) frames/s", screen.getvalue())[-1]) <= 20


@pytest.mark.parametrize(
    ("stream", "notebook", "shown"),
    [(io.StringIO, False, True), (io.StringIO, True, False), (Screen, False, False), (Screen, True, False)],
)
def test_logs_and_whoever_wants_quiet_get_nothing(
    stream: type[io.StringIO], notebook: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if notebook:
        monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setattr("img2img.progress_bar.TELLING_PAUSE", 0.0)
    monkeypatch.setattr(sys, "stderr", said := stream())
    with counted_progress("colouring", unit="photos", total=7, shown=shown) as advance:
        advance(3, 7)
    assert said.getvalue() == ""
