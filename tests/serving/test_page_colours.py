"""The page in a real browser: colours set at places of a photo, by mouse, by finger and by keyboard."""

import json
from pathlib import Path

import pytest
from chromium import nothing_went_elsewhere, tab
from colour_driver import (
    click_photo,
    color_of,
    handles,
    is_shut,
    mouse,
    off,
    parsed,
    place_in_window,
    said,
    shut,
    slide,
    suggested,
    tint,
    type_color,
)
from page_driver import PHOTOS, choose, enlarged, found, has_focus, one, open_page, put_back, summary, touch, wait_until
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served, command_line

pytest_plugins = ["page_fixtures"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
OUTSIDE = """
return [...document.querySelectorAll("#viewer button, #viewer input, #viewer p, #viewer h3")].filter((each) => {
  const { left, right } = each.getBoundingClientRect();
  return each.checkVisibility() && (left < -1 || right > innerWidth + 1) && !each.closest(".unseen, .line");
}).map((each) => each.outerHTML);
"""


def opened(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    enlarged(page)


def press(page: ChromiumDriver, *keys: str) -> None:
    ActionChains(page).send_keys(*keys).perform()


def with_keys(page: ChromiumDriver, key: str, *held: str) -> None:
    action = ActionChains(page)
    for each in held:
        action.key_down(each)
    action.send_keys(key)
    for each in held:
        action.key_up(each)
    action.perform()


def is_open(page: ChromiumDriver) -> bool:
    return one(page, "#colours").is_displayed()


def drag(page: ChromiumDriver, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one place of the photo to another, in percent."""
    (x, y), (right, bottom) = start, end
    mouse(page, *((x + step * (right - x), y + step * (bottom - y)) for step in (0, 0.3, 0.6, 1)))


def test_a_click_offers_likely_colours_and_the_picture_follows_the_one_that_is_picked(page: ChromiumDriver) -> None:
    opened(page)
    before = tint(color_of(page, 70, 90))
    swatches = click_photo(page, 70, 90)
    assert 2 <= len(swatches) <= 5
    shares = [int(each.text.removesuffix("%")) for each in swatches]
    assert shares == sorted(shares, reverse=True)
    picked = swatches[-1]
    wanted = tint(parsed(picked.get_attribute("data-color") or ""))
    assert picked.accessible_name == f"{picked.get_attribute('data-color')}, {picked.text} likely"
    picked.click()
    wait_until(page, lambda: off(tint(color_of(page, 70, 90)), wanted) < 0.5 * off(before, wanted))
    assert said(page) == "colour set"
    assert handles(page) == [pytest.approx((70, 90), abs=0.2)]
    wait_until(page, lambda: one(page, ".viewer .state").text == "1024 x 789, full size")
    assert one(page, ".sheet .after").get_property("naturalWidth") == 1024
    assert off(tint(color_of(page, 70, 90)), wanted) < 0.5 * off(before, wanted)
    put_back(page)
    assert one(page, ".card .facts").text == "1024 x 789 · 1 colour set"
    wait_until(page, lambda: off(tint(color_of(page, 70, 90, ".card .after")), wanted) < 0.5 * off(before, wanted))


def test_a_colour_is_set_where_it_can_be_seen(page: ChromiumDriver) -> None:
    opened(page)
    click_photo(page, 70, 90)
    assert one(page, ".viewer .split").get_property("value") == "50"
    shut(page)
    click_photo(page, 10, 50)  # where the photo is shown as it was
    assert one(page, ".viewer .split").get_property("value") == "0"
    assert one(page, "#viewer").is_displayed()
    assert handles(page) == []  # nothing was picked


def test_any_colour_and_grey_can_be_chosen_and_taken_away(page: ChromiumDriver) -> None:
    opened(page)
    before = tint(color_of(page, 30, 90))
    click_photo(page, 30, 90)
    for code in ("#3030ff", "#3030c0", "#203c90"):  # while the colour is being looked for
        type_color(page, ".any input", code, is_final=False)
    type_color(page, ".any input", "#203c90")
    blue = tint(parsed("#203c90"))
    wait_until(page, lambda: off(tint(color_of(page, 30, 90)), blue) < 0.5 * off(before, blue))
    one(page, ".grey").click()
    wait_until(page, lambda: off(tint(color_of(page, 30, 90)), (0, 0)) < 6)
    assert one(page, ".grey").get_attribute("aria-pressed") == "true"
    one(page, ".take-away").click()
    assert (is_open(page), handles(page), said(page)) == (False, [], "colour removed")
    wait_until(page, lambda: off(tint(color_of(page, 30, 90)), before) < 3)
    one(page, ".undo").click()
    one(page, ".undo").click()  # of the colours that were tried, only the last was a step
    wait_until(page, lambda: off(tint(color_of(page, 30, 90)), blue) < 0.5 * off(before, blue))
    one(page, ".undo").click()
    assert handles(page) == []
    assert not one(page, ".undo").is_enabled()


def test_a_colour_is_dragged_undone_done_again_and_removed(page: ChromiumDriver) -> None:
    opened(page)
    click_photo(page, 70, 30)
    type_color(page, ".any input", "#203c90")
    shut(page)
    drag(page, (70, 30), (85, 88))
    assert handles(page) == [pytest.approx((85, 88), abs=0.3)]
    assert (is_open(page), said(page)) == (False, "colour moved")
    blue = tint(parsed("#203c90"))
    wait_until(page, lambda: off(tint(color_of(page, 85, 88)), blue) < 60)
    with_keys(page, "z", Keys.CONTROL)
    assert handles(page) == [pytest.approx((70, 30), abs=0.3)]
    with_keys(page, "z", Keys.CONTROL, Keys.SHIFT)
    assert handles(page) == [pytest.approx((85, 88), abs=0.3)]
    one(page, ".handle").click()
    assert [each.is_enabled() for each in suggested(page)]
    assert one(page, "#colours h3").text == "Change this colour"
    shut(page)
    wait_until(page, lambda: has_focus(page, ".handle"))
    press(page, Keys.DELETE)
    assert handles(page) == []
    one(page, ".undo").click()
    one(page, ".clear").click()
    assert (handles(page), said(page)) == ([], "all colours removed")
    one(page, ".undo").click()
    assert len(handles(page)) == 1


def test_moving_and_zooming_the_photo_set_nothing_and_handles_stay_where_they_were(page: ChromiumDriver) -> None:
    opened(page)
    click_photo(page, 60, 70)[0].click()
    shut(page)
    one(page, ".viewer .full").click()
    one(page, ".viewer .in").click()
    drag(page, (40, 40), (30, 30))
    assert not is_open(page)
    assert handles(page) == [pytest.approx((60, 70), abs=0.2)]
    left, top = place_in_window(page, 50, 50)
    touch(page, *([(left - apart, top), (left + apart, top)] for apart in (40, 60, 80)))
    wait_until(page, lambda: one(page, ".viewer .zoom").text != "125%")
    assert not is_open(page)
    assert handles(page) == [pytest.approx((60, 70), abs=0.2)]


def test_hints_that_are_saved_give_the_downloads_bytes_on_the_command_line(
    page: ChromiumDriver, tmp_path: Path
) -> None:
    opened(page)
    click_photo(page, 70, 90)[-1].click()
    shut(page)
    click_photo(page, 20, 60)
    type_color(page, ".any input", "#8a2b2b")
    slide(page, ".one-warmth input", 0.25)
    one(page, ".save-hints").click()
    downloads = tmp_path / "downloads"
    hints, made = downloads / "killarney-1910.hints.json", downloads / "killarney-1910.colorized.jpg"
    wait_until(page, hints.is_file)
    assert [set(each) for each in json.loads(hints.read_text())["hints"]] == [{"x", "y", "color"}] * 2
    put_back(page)
    one(page, ".card .download").click()
    wait_until(page, made.is_file)
    command_line("colorize", PHOTOS[0], "-o", tmp_path / "made.jpg", "--hints", hints, "--warmth", "0.25")
    assert made.read_bytes() == (tmp_path / "made.jpg").read_bytes()


def test_a_finger_sets_and_moves_a_colour(browser: ChromiumDriver, page_server: Served, tmp_path: Path) -> None:
    with tab(browser, tmp_path, 360, 740) as page:
        open_page(page, page_server.address)
        opened(page)
        x, y = place_in_window(page, 70, 80)
        touch(page, [(x, y)])
        swatches = suggested(page)
        assert page.execute_script(OUTSIDE) == []
        swatches[1].click()
        assert page.execute_script(OUTSIDE) == []
        one(page, ".shut").click()
        is_shut(page)
        assert handles(page) == [pytest.approx((70, 80), abs=0.5)]
        (x, y), (right, bottom) = place_in_window(page, 70, 80), place_in_window(page, 80, 20)
        steps = [step / 6 for step in range(7)]
        touch(page, *([(x + step * (right - x), y + step * (bottom - y))] for step in steps))
        wait_until(page, lambda: said(page) == "colour moved")
        assert handles(page) == [pytest.approx((80, 20), abs=0.5)]
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
        nothing_went_elsewhere(page, page_server.address)


def test_colours_are_set_by_keyboard_alone(page: ChromiumDriver) -> None:
    opened(page)
    press(page, Keys.ENTER)
    suggested(page)
    wait_until(page, lambda: has_focus(page, ".swatch"))
    press(page, Keys.TAB, Keys.ENTER)
    assert said(page) == "colour set"
    assert found(page, ".swatch")[1].get_attribute("aria-pressed") == "true"
    shut(page)
    assert one(page, "#viewer").is_displayed()
    handle = one(page, ".handle")
    wait_until(page, lambda: has_focus(page, ".handle"))
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert handles(page) == [pytest.approx((51, 50.5), abs=0.1)]
    with_keys(page, Keys.ARROW_LEFT, Keys.SHIFT)
    assert handles(page) == [pytest.approx((46, 50.5), abs=0.1)]
    code = found(page, ".handle")[0].value_of_css_property("background-color")
    assert code.startswith("rgb")
    assert "46% from the left, 51% from the top" in handle.accessible_name
    press(page, Keys.ENTER)
    suggested(page)
    press(page, Keys.ESCAPE, Keys.DELETE)
    assert (handles(page), said(page)) == ([], "colour removed")
    wait_until(page, lambda: has_focus(page, ".stage"))
    press(page, Keys.ESCAPE)
    wait_until(page, lambda: not one(page, "#viewer").is_displayed())


def test_all_that_pops_up_has_a_name(page: ChromiumDriver) -> None:
    opened(page)
    click_photo(page, 70, 90)[0].click()
    controls = [each for each in found(page, "#viewer button, #viewer input, #colours") if each.is_displayed()]
    assert len(controls) > 20
    assert [each.get_attribute("outerHTML") for each in controls if not each.accessible_name] == []
    assert one(page, ".said").get_attribute("aria-live") == "polite"


def test_a_photo_that_is_translated_takes_no_colours(page: ChromiumDriver) -> None:
    one(page, "input[value=translate] + span").click()
    choose(page, PHOTOS[0])
    summary(page, "1 translated")
    assert [each for each in found(page, ".steer, #settings .steers") if each.is_displayed()] == []
    enlarged(page)
    mouse(page, (70, 90))
    press(page, Keys.ENTER)
    assert (is_open(page), one(page, ".set-one").is_displayed()) == (False, False)
