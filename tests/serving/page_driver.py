"""What tests of the page do with it and ask of it, in a real browser."""

import json
from collections.abc import Callable
from pathlib import Path

from selenium.webdriver.chromium.webdriver import ChromiumDriver
from selenium.webdriver.remote.webelement import WebElement
from served import CHECKOUT
from waiting import wait_for

SAMPLES = CHECKOUT / "datasets" / "samples"
PHOTOS = [SAMPLES / "killarney-1910.jpg", SAMPLES / "whitman-1860s.jpg"]
SHOWN = """
const text = (selector, within = document) => within.querySelector(selector)?.textContent.trim();
return {
  summary: text("#summary"), about: text("#about"),
  cards: [...document.querySelectorAll(".card")].map((card) =>
    [text(".name strong", card), card.className, text(".error", card), text(".working .state", card), text(".facts", card)].join(" | ")),
  viewer: document.querySelector("#viewer")?.open && text(".viewer .state"), errors: window.violations,
};
"""  # noqa: E501


def shown(browser: ChromiumDriver) -> str:
    """What the page shows and the console says: for the message of a test that fails."""
    console = [f"{line['level']} {line['message']}" for line in browser.get_log("browser")]  # type: ignore[no-untyped-call]
    return json.dumps(browser.execute_script(SHOWN) | {"console": console}, indent=1)


def wait_until(browser: ChromiumDriver, true: Callable[[], object]) -> None:
    wait_for(true, shown=lambda: shown(browser))


def found(browser: ChromiumDriver, selector: str) -> list[WebElement]:
    return list(browser.find_elements("css selector", selector))


def one(browser: ChromiumDriver, selector: str) -> WebElement:
    (element,) = found(browser, selector)
    return element


def open_page(browser: ChromiumDriver, address: str) -> None:
    browser.get(address)
    wait_until(browser, lambda: found(browser, "#model option"))


def choose(browser: ChromiumDriver, *paths: Path) -> None:
    one(browser, "#files").send_keys("\n".join(map(str, paths)))


def drop(browser: ChromiumDriver, *paths: Path, onto: str | None = None) -> None:
    """As a person drags files or folders in from their desktop, onto what a selector names or just anywhere."""
    x, y = centre_of(browser, onto) if onto else (300, 200)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


def summary(browser: ChromiumDriver, words: str) -> None:
    wait_until(browser, lambda: one(browser, "#summary").text == words)


def errors(browser: ChromiumDriver) -> list[str]:
    return [each.text for each in found(browser, ".error") if each.is_displayed()]


def loaded(browser: ChromiumDriver) -> list[str]:
    """Where the coloured pictures come from that are shown."""
    script = "return [...document.querySelectorAll('.after')].filter((each) => each.src).every((each) => each.complete)"
    wait_until(browser, lambda: browser.execute_script(script))
    return [source for each in found(browser, ".card .after") if (source := each.get_attribute("src"))]


def line_of(browser: ChromiumDriver) -> float:
    """Where the line between before and after stands, in percent of the picture's width."""
    script = "return document.querySelector('.compare').style.getPropertyValue('--at')"
    return float(browser.execute_script(script).removesuffix("%"))


def enlarged(browser: ChromiumDriver) -> str:
    """Opens the first photo in the whole window; what the page says of its size."""
    found(browser, ".card .enlarge")[0].click()
    wait_until(browser, lambda: one(browser, ".viewer .state").text.endswith(", full size"))
    return one(browser, ".viewer .state").text


def put_back(browser: ChromiumDriver) -> None:
    """Closes the enlarged photo."""
    one(browser, ".viewer .close").click()
    is_put_back(browser)


def is_put_back(browser: ChromiumDriver) -> None:
    """The page hears a little later that the photo was closed, and then gives the card its controls and the focus."""
    wait_until(browser, lambda: not found(browser, ".viewer .steer"))
    assert not one(browser, "#viewer").is_displayed()


def has_focus(browser: ChromiumDriver, selector: str) -> bool:
    return bool(browser.execute_script("return document.activeElement.matches(arguments[0])", selector))


def centre_of(browser: ChromiumDriver, selector: str) -> tuple[float, float]:
    """In the window, once it is scrolled there."""
    script = """
    const element = document.querySelector(arguments[0]);
    element.scrollIntoView({ block: "center" });
    const box = element.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
    """
    x, y = browser.execute_script(script, selector)
    return x, y


def touch(browser: ChromiumDriver, *places: list[tuple[float, float]]) -> None:
    """Fingers that come down at the first places, go through the others and leave at the last."""
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    for index, fingers in enumerate(places):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        kind = "touchMove" if index else "touchStart"
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def offline(browser: ChromiumDriver, is_so: bool) -> None:
    """As when the server does not run."""
    browser.set_network_conditions(offline=is_so, latency=0, throughput=-1)
