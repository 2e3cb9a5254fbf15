"""The page in a real browser."""

import base64
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromium import chromium, nothing_went_elsewhere
from PIL import Image
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from served import CHECKOUT, Served, command_line, served, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SAMPLES = CHECKOUT / "datasets" / "samples"
PHOTOS = [SAMPLES / "killarney-1910.jpg", SAMPLES / "whitman-1860s.jpg"]
DROP = """
const transfer = new DataTransfer();
for (const [name, content] of arguments[0]) {
  transfer.items.add(new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name));
}
document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def page(server: Served, tmp_path: Path) -> Iterator[WebDriver]:
    with chromium(tmp_path / "downloads") as browser:
        browser.get(server.address)
        wait_for(lambda: found(browser, "#model option"))
        yield browser
        assert nothing_went_elsewhere(browser, server.address)


LATE_MODELS = """
const atOnce = window.fetch;
window.fetch = async (...all) => {
  if (String(all[0]).endsWith("/models")) await new Promise((go) => setTimeout(go, 1500));
  return atOnce(...all);
};
"""


def found(browser: WebDriver, selector: str) -> list[WebElement]:
    return list(browser.find_elements("css selector", selector))


def one(browser: WebDriver, selector: str) -> WebElement:
    (element,) = found(browser, selector)
    return element


def drop(browser: WebDriver, *paths: Path) -> None:
    browser.execute_script(DROP, [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths])


def choose(browser: WebDriver, *paths: Path) -> None:
    one(browser, "#files").send_keys("\n".join(map(str, paths)))


def summary(browser: WebDriver, words: str) -> None:
    wait_for(lambda: one(browser, "#summary").text == words)


def loaded(browser: WebDriver) -> list[str]:
    """Where the coloured pictures come from that are shown."""
    wait_for(
        lambda: browser.execute_script(
            "return [...document.querySelectorAll('.after')].filter((each) => each.src).every((each) => each.complete)"
        )
    )
    return [source for each in found(browser, ".card .after") if (source := each.get_attribute("src"))]


def line_of(browser: WebDriver) -> float:
    """Where the line between before and after stands, in percent of the picture's width."""
    script = "return document.querySelector('.compare').style.getPropertyValue('--at')"
    return float(browser.execute_script(script).removesuffix("%"))


def test_photos_dropped_become_cards_and_a_text_file_a_clear_error(
    page: WebDriver, server: Served, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary")
    drop(page, *PHOTOS, notes)
    summary(page, "2 coloured, 1 failed")
    assert len(found(page, ".card")) == 3
    (error,) = [each.text for each in found(page, ".error") if each.is_displayed()]
    assert error == "notes.txt: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"
    page.find_element("id", "clear").click()
    assert found(page, ".card") == []


def test_a_photo_chosen_before_the_models_are_known_waits_for_them(page: WebDriver, server: Served) -> None:
    page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LATE_MODELS})
    page.get(server.address)
    choose(page, PHOTOS[1])
    assert found(page, "#model option") == []
    summary(page, "1 coloured")


def test_the_slider_moves_by_pointer(page: WebDriver) -> None:
    from selenium.webdriver import ActionChains

    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    box = one(page, ".compare")
    ActionChains(page).move_to_element(box).click_and_hold().move_by_offset(100, 0).release().perform()
    assert line_of(page) == pytest.approx(50 + 10000 / box.size["width"], abs=1)
    assert not one(page, "#viewer").get_attribute("open")


def test_another_strength_shows_and_is_what_is_downloaded(page: WebDriver, tmp_path: Path) -> None:
    choose(page, *PHOTOS)
    summary(page, "2 coloured")
    before = loaded(page)
    page.execute_script(
        "const all = document.getElementById('strength'); all.value = 1.4; all.dispatchEvent(new Event('input'))"
    )
    wait_for(lambda: [each.partition("strength=")[2] for each in loaded(page)] == ["1.4"] * 2)
    assert loaded(page) != before
    downloads, expected = tmp_path / "downloads", tmp_path / "expected"
    expected.mkdir()
    for path, button in zip(PHOTOS, found(page, ".download"), strict=True):
        made = expected / f"{path.stem}.colorized.jpg"
        command_line("colorize", path, "-o", made, "--strength", "1.4")
        button.click()
        wait_for((downloads / made.name).is_file)
        assert (downloads / made.name).read_bytes() == made.read_bytes()
    page.find_element("id", "zip").click()
    wait_for((downloads / "img2img.zip").is_file)
    with zipfile.ZipFile(downloads / "img2img.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {
            path.name: path.read_bytes() for path in expected.iterdir()
        }


def test_a_click_enlarges_and_zooms_at_full_resolution(page: WebDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, ".compare").click()
    wait_for(lambda: one(page, ".viewer .state").text == "1024 x 789, full size")
    assert one(page, ".sheet .after").get_property("naturalWidth") == 1024
    one(page, ".viewer .full").click()
    assert one(page, ".viewer .zoom").text == "100%"
    one(page, ".viewer .in").click()
    assert one(page, ".viewer .zoom").text == "125%"
    one(page, ".viewer .close").click()
    assert not one(page, "#viewer").is_displayed()


def test_a_photo_that_waits_shows_itself_small(page: WebDriver) -> None:
    page.execute_script("XMLHttpRequest.prototype.send = () => {}")  # nothing comes back
    choose(page, PHOTOS[0])
    wait_for(lambda: one(page, ".card .thumb").is_displayed())
    assert one(page, ".card .thumb").get_property("width") == 480
    assert one(page, ".card progress").is_displayed()
    assert one(page, "#summary").text == "0 coloured, 1 to go"


def test_a_reload_begins_anew(page: WebDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    page.refresh()
    wait_for(lambda: found(page, "#model option"))
    assert found(page, ".card") == []
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")


def test_all_works_by_keyboard_alone(page: WebDriver, tmp_path: Path) -> None:
    from selenium.webdriver import ActionChains, Keys

    choose(page, PHOTOS[1])
    summary(page, "1 coloured")

    def press(*keys: str) -> None:
        ActionChains(page).send_keys(*keys).perform()

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.execute_script("return document.activeElement.matches(arguments[0])", selector):
                return
            press(Keys.TAB)
        raise AssertionError(f"Tab never came to {selector}")

    tab_to("#strength")
    press(Keys.ARROW_RIGHT)
    wait_for(lambda: loaded(page)[0].endswith("strength=1.05"))
    tab_to(".card .split")
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert line_of(page) == 52
    tab_to(".card .enlarge")
    press(Keys.ENTER)
    wait_for(lambda: "full size" in one(page, ".viewer .state").text)
    press("1", "+")
    assert one(page, ".viewer .zoom").text == "125%"
    press(Keys.ESCAPE)
    assert page.execute_script("return document.activeElement.className") == "enlarge"
    tab_to(".card .download")
    press(Keys.ENTER)
    wait_for((tmp_path / "downloads" / "whitman-1860s.colorized.jpg").is_file)


def test_every_control_has_a_name_and_news_are_read_out(page: WebDriver) -> None:
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


def test_translate_shows_the_score(page: WebDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, "input[value=translate] + span").click()
    summary(page, "1 translated")
    assert "score 0." in one(page, ".facts").text
    assert not one(page, "#strength-field").is_displayed()


def test_what_a_browser_cannot_show_is_shown_all_the_same(page: WebDriver, tmp_path: Path) -> None:
    deep = tmp_path / "deep.tif"
    Image.fromarray(np.linspace(0, 65535, 640 * 480, dtype=np.uint16).reshape(480, 640)).save(deep)
    choose(page, deep)
    summary(page, "1 coloured")
    assert one(page, ".card .before").get_property("naturalWidth") == 640
    one(page, ".card .enlarge").click()
    wait_for(lambda: one(page, ".viewer .state").text == "640 x 480, full size")
    assert one(page, ".sheet .before").get_property("naturalWidth") == 640


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off_at_360_pixels(server: Served, tmp_path: Path, dark: bool) -> None:
    with chromium(tmp_path, 360, 700, dark=dark) as browser:
        browser.get(server.address)
        choose(browser, *PHOTOS)
        summary(browser, "2 coloured")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 360
        outside = "return [...document.querySelectorAll('button, input, select, p')].filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > 361 && !each.closest('.unseen')).length"  # noqa: E501
        assert browser.execute_script(outside) == 0
        background = browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
        assert (background == "rgb(22, 21, 19)") is dark
        found(browser, ".enlarge")[0].click()
        wait_for(lambda: "full size" in one(browser, ".viewer .state").text)
        assert browser.execute_script(outside) == 0
        assert nothing_went_elsewhere(browser, server.address)


def test_the_page_signs_in_with_the_token(tmp_path: Path) -> None:
    token = "correct-horse-battery-staple"
    (tmp_path / "token").write_text(token)
    with served(tmp_path, "--token-file", str(tmp_path / "token")) as server, chromium(tmp_path) as browser:
        browser.get(server.address)
        one(browser, "#token").send_keys("not the token")
        one(browser, "button").click()
        wait_for(lambda: "That is not the token." in browser.page_source)
        one(browser, "#token").send_keys(token)
        one(browser, "button").click()
        wait_for(lambda: found(browser, "#model option"))
        choose(browser, PHOTOS[1])
        summary(browser, "1 coloured")
        assert browser.execute_script("return document.cookie") == ""
        assert nothing_went_elsewhere(browser, server.address)
