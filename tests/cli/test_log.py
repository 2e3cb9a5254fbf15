"""What the library logs is what the person at the command line reads."""

import logging
from collections.abc import Iterator

import pytest

from img2img.cli.log import show_log


@pytest.fixture(autouse=True)
def _no_handler_of_another_test() -> Iterator[None]:
    handlers = logging.getLogger("img2img").handlers
    handlers.clear()
    yield
    handlers.clear()


def test_nothing_is_shown_to_who_imports_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("img2img.training").info("said")
    assert capsys.readouterr().err == ""


def test_a_message_is_one_plain_line_once_however_often_it_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    show_log()
    show_log()
    logging.getLogger("img2img.training").info("exporting %s", "run")
    assert capsys.readouterr().err == "exporting run\n"


def test_an_exception_comes_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    show_log()
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("img2img.batch").exception("photo.jpg: a mistake")
    said = capsys.readouterr().err
    assert said.startswith("photo.jpg: a mistake\nTraceback")
    assert said.endswith("ValueError: why\n")
