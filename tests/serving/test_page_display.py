"""The page in a real browser: what it shows of all kinds of photos, to eyes and screen readers, at 360 pixels too."""

from pathlib import Path

import numpy as np
import pytest
from chromium import nothing_went_elsewhere, tab
from page_driver import PHOTOS, choose, enlarged, found, one, open_page, summary, wait_until
from PIL import Image
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served

pytest_plugins = ["page_fixtures"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
OUTSIDE = """
return [...document.querySelectorAll("button, input, select, p")].filter((each) =>
  each.checkVisibility() && each.getBoundingClientRect().right > 361 && !each.closest(".unseen")).length
"""
GREYS = """
const image = document.querySelector(arguments[0]);
const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
const context = canvas.getContext("2d");
context.drawImage(image, 0, 0);
return [0.1, 0.5, 0.9].map((at) => context.getImageData(at * canvas.width, canvas.height / 2, 1, 1).data[1]);
"""


def test_a_photo_that_waits_shows_itself_small(page: ChromiumDriver) -> None:
    page.execute_script("XMLHttpRequest.prototype.send = () => {}")  # nothing comes back
    choose(page, PHOTOS[0])
    wait_until(page, lambda: one(page, ".card .thumb").is_displayed())
    assert one(page, ".card .thumb").get_property("width") == 480
    assert one(page, ".card progress").is_displayed()
    assert one(page, "#summary").text == "0 coloured, 1 to go"


@pytest.mark.parametrize(("name", "deep"), [("deep.tif", True), ("deep.png", True), ("new.avif", False)])
def test_every_kind_of_photo_is_shown_as_it_is(page: ChromiumDriver, tmp_path: Path, name: str, deep: bool) -> None:
    ramp = np.tile(np.linspace(0, 65535, 640).astype(np.uint16), (480, 1))
    Image.fromarray(ramp if deep else (ramp >> 8).astype(np.uint8)).save(tmp_path / name)
    choose(page, tmp_path / name)
    summary(page, "1 coloured")
    assert one(page, ".card .before").get_property("naturalWidth") == 640
    assert page.execute_script(GREYS, ".card .before") == pytest.approx([25, 128, 230], abs=4)
    assert enlarged(page) == "640 x 480, full size"
    assert page.execute_script(GREYS, ".sheet .before") == pytest.approx([25, 128, 230], abs=4)
    assert one(page, ".sheet .after").get_property("naturalWidth") == 640


def test_every_control_has_a_name_and_news_are_read_out(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    controls = [each for each in found(page, "button, input, select, dialog, [role]") if each.is_displayed()]
    assert len(controls) > 10
    assert [
        each.get_attribute("outerHTML") for each in controls if not each.accessible_name and each.tag_name != "p"
    ] == []
    assert one(page, "#news").get_attribute("aria-live") == "polite"
    assert one(page, "#news").get_attribute("textContent") == "killarney-1910.jpg: done"
    assert [each for each in found(page, "img") if each.is_displayed() and each.get_attribute("alt") is None] == []


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off_at_360_pixels(
    browser: ChromiumDriver, page_server: Served, tmp_path: Path, dark: bool
) -> None:
    with tab(browser, tmp_path, 360, 700, dark=dark) as page:
        open_page(page, page_server.address)
        choose(page, *PHOTOS)
        summary(page, "2 coloured")
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
        assert page.execute_script(OUTSIDE) == 0
        background = page.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
        assert (background == "rgb(22, 21, 19)") is dark
        enlarged(page)
        assert page.execute_script(OUTSIDE) == 0
        nothing_went_elsewhere(page, page_server.address)
