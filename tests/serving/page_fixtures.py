"""A server, and its page in a browser, for the tests of the page; they name this file as a plugin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium, nothing_went_elsewhere
from page_driver import open_page
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served, served


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running
        assert running.errors.read_text() == ""


@pytest.fixture
def page(page_server: Served, tmp_path: Path) -> Iterator[ChromiumDriver]:
    """Open, with its models known. Downloads go to `tmp_path / "downloads"`."""
    with chromium(tmp_path / "downloads") as browser:
        open_page(browser, page_server.address)
        yield browser
        nothing_went_elsewhere(browser, page_server.address)
