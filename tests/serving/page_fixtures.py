"""A server, and its page in a browser, for the tests of the page; they name this file as a plugin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium, nothing_went_elsewhere, tab
from page_driver import open_page
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served, served


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running
        assert running.errors.read_text() == ""


@pytest.fixture(scope="session")
def browser() -> Iterator[ChromiumDriver]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: ChromiumDriver, page_server: Served, tmp_path: Path) -> Iterator[ChromiumDriver]:
    """Open, with its models known. Downloads go to `tmp_path / "downloads"`."""
    with tab(browser, tmp_path / "downloads") as opened:
        open_page(opened, page_server.address)
        yield opened
        nothing_went_elsewhere(opened, page_server.address)
