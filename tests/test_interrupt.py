"""Ctrl-C is noted once and breaks in, or ends the process, the second time; what others handle is left alone."""

import signal
import subprocess
import sys
import threading

import pytest

from img2img.interrupt import breaking_in_once, interrupt_noted


@pytest.mark.usefixtures("ctrl_c")
def test_first_interrupt_is_noted_and_the_second_breaks_in() -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_noted() as interrupted:  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        assert interrupted.is_set()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("ctrl_c")
def test_second_interrupt_while_the_first_is_being_noted_breaks_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noted(threading.Event):
        def set(self) -> None:
            with self._cond:  # type: ignore[attr-defined]
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(threading, "Event", Noted)
    with pytest.raises(KeyboardInterrupt), interrupt_noted():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("ctrl_c")
def test_named_signals_are_noted_too_and_put_back() -> None:
    with interrupt_noted(signal.SIGTERM) as interrupted:
        signal.raise_signal(signal.SIGTERM)
        assert interrupted.is_set()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("ctrl_c")
def test_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupt_noted() as interrupted:
        signal.raise_signal(signal.SIGINT)
    assert not interrupted.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.usefixtures("ctrl_c")
def test_command_that_nobody_stops_gives_its_signals_back() -> None:
    with breaking_in_once(), interrupt_noted() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(ValueError, match="of its own"), breaking_in_once():
        raise ValueError("of its own")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    "program",
    [
        "with breaking_in_once(), interrupt_noted(): ctrl_c(); ctrl_c()",
        "with breaking_in_once():\n with interrupt_noted(): ctrl_c()\n ctrl_c()",
        "with breaking_in_once():\n with interrupt_noted(SIGTERM): raise_signal(SIGTERM)\n ctrl_c()",
        "try:\n with breaking_in_once(): ctrl_c()\nexcept KeyboardInterrupt: ctrl_c()",
        "try:\n with breaking_in_once(), interrupt_noted(): ctrl_c(); raise KeyboardInterrupt\n"
        "except KeyboardInterrupt: ctrl_c()",
        # Where Python would print the traceback and go on.
        "class Last:\n def __del__(self): ctrl_c()\nwith breaking_in_once(), interrupt_noted(): ctrl_c(); Last()",
    ],
)
def test_second_ctrl_c_of_a_command_ends_it_in_silence(program: str) -> None:
    begin = (
        "from signal import SIGINT, SIGTERM, default_int_handler, raise_signal, signal\n"
        "from img2img.interrupt import breaking_in_once, interrupt_noted\n"
        "signal(SIGINT, default_int_handler)\n"
        "def ctrl_c(): raise_signal(SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", f"{begin}{program}\nprint('on')"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
