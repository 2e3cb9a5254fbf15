"""Ctrl-C is noted once and breaks in the second time; what somebody else handles is left alone."""

import signal

import pytest

from img2img.interrupt import interrupt_noted


@pytest.mark.usefixtures("ctrl_c")
def test_first_interrupt_is_noted_and_the_second_breaks_in() -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_noted() as interrupted:  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        assert interrupted.is_set()
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
