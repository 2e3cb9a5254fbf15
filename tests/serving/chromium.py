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
def chromium(downloads: Path, width: int = 1000, height: int = 800, *, dark: bool = False) -> Iterator[ChromiumDriver]:
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
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    # With its path given, selenium does not ask the network for one.
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        running.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        running.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
        running.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": VIOLATIONS})
        yield running
    finally:
        running.quit()


def nothing_went_elsewhere(browser: ChromiumDriver, address: str) -> None:
    """No request to another origin, nothing that the policy had to stop, no error of a script."""
    names = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert names
    assert [name for name in names if not name.startswith((address, f"blob:{address}"))] == []
    assert browser.execute_script("return violations") == []
