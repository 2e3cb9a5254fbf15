"""The page in a real browser, used by pointer, fingers and keys, from the clipboard and with dragged folders."""

import base64
from io import BytesIO
from pathlib import Path

import pytest
from page_driver import (
    PHOTOS,
    centre_of,
    choose,
    drop,
    enlarged,
    found,
    has_focus,
    is_put_back,
    line_of,
    loaded,
    one,
    put_back,
    summary,
    touch,
    wait_until,
)
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served

pytest_plugins = ["page_fixtures"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
INTO_CLIPBOARD = """
const [content, done] = arguments;
const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]).then(done);
"""
VIEW = """
const { a: scale, e: x, f: y } = new DOMMatrix(getComputedStyle(document.querySelector(".sheet")).transform);
return [scale, x, y];
"""


def names(page: ChromiumDriver) -> list[str]:
    return [each.text for each in found(page, ".card .name strong")]


def test_a_folder_dropped_brings_the_photos_of_all_folders_below(page: ChromiumDriver, tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "aunt" / "1910").mkdir(parents=True)
    for path in (album / "b.jpg", album / "a.jpg", album / "aunt" / "1910" / "c.jpg", album / ".hidden.jpg"):
        path.write_bytes(PHOTOS[1].read_bytes())
    drop(page, album)
    summary(page, "3 coloured")
    assert names(page) == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_picture_in_the_clipboard_is_pasted(page: ChromiumDriver, page_server: Served) -> None:
    picture = BytesIO()
    Image.open(PHOTOS[0]).reduce(4).save(picture, "PNG")
    allowed = {"origin": page_server.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.execute_cdp_cmd("Browser.grantPermissions", allowed)
    page.execute_async_script(INTO_CLIPBOARD, base64.b64encode(picture.getvalue()).decode())
    key = {"key": "v", "code": "KeyV", "modifiers": 2, "windowsVirtualKeyCode": 86}
    page.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "commands": ["paste"], **key})
    page.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    wait_until(page, lambda: found(page, ".card"))
    summary(page, "1 coloured")
    assert names(page) == ["image.png"]
    assert one(page, ".card .before").get_property("naturalWidth") == 256


def test_the_slider_moves_by_pointer(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    box = one(page, ".compare")
    ActionChains(page).move_to_element(box).click_and_hold().move_by_offset(100, 0).release().perform()
    assert line_of(page) == pytest.approx(50 + 10000 / box.size["width"], abs=1)
    assert not one(page, "#viewer").get_attribute("open")


def test_a_finger_moves_the_slider_sideways(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    x, y = centre_of(page, ".compare")
    touch(page, *([(x - 15 * step, y)] for step in range(7)))
    there = pytest.approx(50 - 9000 / one(page, ".compare").size["width"], abs=1)
    wait_until(page, lambda: line_of(page) == there)
    assert not one(page, "#viewer").get_attribute("open")


def test_a_finger_that_scrolls_over_a_photo_leaves_its_slider_alone(page: ChromiumDriver) -> None:
    choose(page, *PHOTOS)
    summary(page, "2 coloured")
    phone = {"width": 360, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    x, y = centre_of(page, ".compare")
    before = page.execute_script("return scrollY")
    touch(page, *([(x - 60 - step, y - 10 * step)] for step in range(16)))
    wait_until(page, lambda: page.execute_script("return scrollY") > before + 50)
    assert line_of(page) == 50
    assert not one(page, "#viewer").get_attribute("open")


def test_a_click_enlarges_and_zooms_at_full_resolution(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, ".compare").click()
    wait_until(page, lambda: one(page, ".viewer .state").text == "1024 x 789, full size")
    assert one(page, ".sheet .after").get_property("naturalWidth") == 1024
    one(page, ".viewer .full").click()
    assert one(page, ".viewer .zoom").text == "100%"
    one(page, ".viewer .in").click()
    assert one(page, ".viewer .zoom").text == "125%"
    put_back(page)


def test_two_fingers_zoom_and_move_what_is_between_them(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    enlarged(page)
    ActionChains(page).send_keys("1", "+", "+", "+").perform()  # larger than the window, so that no edge holds it
    scale, left, top = page.execute_script(VIEW)
    x, y = centre_of(page, ".stage")
    touch(page, *([(x - apart, y), (x + apart, y)] for apart in range(50, 101, 10)))
    wait_until(page, lambda: page.execute_script(VIEW)[0] > 1.99 * scale)
    larger, now_left, now_top = page.execute_script(VIEW)
    stage_x, stage_y = one(page, ".stage").size["width"] / 2, one(page, ".stage").size["height"] / 2
    assert larger == pytest.approx(2 * scale, rel=0.01)
    assert (stage_x - now_left) / larger == pytest.approx((stage_x - left) / scale, abs=2)
    assert (stage_y - now_top) / larger == pytest.approx((stage_y - top) / scale, abs=2)
    touch(page, *([(x - 50 + moved, y), (x + 50 + moved, y)] for moved in range(0, 61, 10)))
    wait_until(page, lambda: page.execute_script(VIEW)[1] > now_left + 55)
    assert page.execute_script(VIEW) == pytest.approx([larger, now_left + 60, now_top], rel=0.02)


def test_all_works_by_keyboard_alone(page: ChromiumDriver, tmp_path: Path) -> None:
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")

    def press(*keys: str) -> None:
        ActionChains(page).send_keys(*keys).perform()

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if has_focus(page, selector):
                return
            press(Keys.TAB)
        raise AssertionError(f"Tab never came to {selector}")

    tab_to("#strength")
    press(Keys.ARROW_RIGHT)
    wait_until(page, lambda: loaded(page)[0].endswith("strength=1.05"))
    tab_to(".card .split")
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert line_of(page) == 52
    tab_to(".card .enlarge")
    press(Keys.ENTER)
    wait_until(page, lambda: one(page, ".viewer .state").text.endswith(", full size"))
    press("1", "+")
    assert one(page, ".viewer .zoom").text == "125%"
    press(Keys.ESCAPE)
    is_put_back(page)
    assert has_focus(page, ".card .enlarge")
    tab_to(".card .download")
    press(Keys.ENTER)
    wait_until(page, (tmp_path / "downloads" / "whitman-1860s.colorized.jpg").is_file)
