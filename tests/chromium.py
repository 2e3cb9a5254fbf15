"""A headless Chromium that drives the page, and what it must not do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.chromium.webdriver import ChromiumDriver

HOW = "no chromium with chromedriver here: apt-get install chromium chromium-driver"
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
window.addEventListener("error", (event) => violations.push(event.message));
window.addEventListener("unhandledrejection", (event) => violations.push(String(event.reason)));
"""


@contextmanager
def chromium() -> Iterator[ChromiumDriver]:
    """Skips the test where there is none."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip(HOW)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # With its path given, selenium does not ask the network for one.
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


@contextmanager
def tab(
    browser: ChromiumDriver, downloads: Path, width: int = 1000, height: int = 800, *, dark: bool = False
) -> Iterator[ChromiumDriver]:
    """The browser, at a tab of its own: new to every address, since a browser for each test takes seconds to start."""
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    try:
        for command, arguments in _setting_up(downloads, width, height, dark):
            browser.execute_cdp_cmd(command, arguments)
        yield browser
    finally:
        browser.close()
        browser.switch_to.window(first)


def _setting_up(downloads: Path, width: int, height: int, dark: bool) -> Iterator[tuple[str, dict[str, object]]]:
    """Commands of Chromium's DevTools."""
    yield "Emulation.setFocusEmulationEnabled", {"enabled": True}
    yield "Network.clearBrowserCache", {}
    yield "Network.clearBrowserCookies", {}
    yield "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
    size: dict[str, object] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    yield "Emulation.setDeviceMetricsOverride", size
    theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    yield "Emulation.setEmulatedMedia", {"features": theme}
    yield "Page.addScriptToEvaluateOnNewDocument", {"source": VIOLATIONS}


def nothing_went_elsewhere(browser: ChromiumDriver, address: str) -> None:
    """No request to another origin, nothing that the policy had to stop, no error of a script."""
    names = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert names
    assert [name for name in names if not name.startswith((address, f"blob:{address}"))] == []
    assert browser.execute_script("return violations") == []
