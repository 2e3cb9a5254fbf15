"""The page in a real browser: what becomes of photos, from the drop to the download."""

import zipfile
from pathlib import Path

import pytest
from chromium import nothing_went_elsewhere, tab
from page_driver import PHOTOS, choose, drop, errors, found, loaded, offline, one, summary, wait_until
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served, command_line, served

pytest_plugins = ["page_fixtures"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
HELD_MODELS = """
const atOnce = window.fetch;
window.fetch = async (...all) => {
  if (String(all[0]).endsWith("/models")) await new Promise((go) => { window.letModelsCome = go; });
  return atOnce(...all);
};
"""
SILENT = "the server does not answer; is it still running?"


def test_photos_dropped_become_cards_and_a_text_file_a_clear_error(page: ChromiumDriver, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary")
    drop(page, *PHOTOS, notes)
    summary(page, "2 coloured, 1 failed")
    assert len(found(page, ".card")) == 3
    assert errors(page) == ["notes.txt: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"]
    assert not one(page, "#retry").is_displayed()  # a second time it is no photo either
    one(page, "#clear").click()
    assert found(page, ".card") == []


def test_films_are_for_the_command_line_and_hold_no_photo_up(page: ChromiumDriver, tmp_path: Path) -> None:
    films = [tmp_path / f"{number}.mp4" for number in range(4)]  # more than are sent at once
    for film in films:
        film.write_bytes(b"a film")
    choose(page, *films, PHOTOS[1])
    summary(page, "1 coloured, 4 failed")
    assert errors(page)[0] == "0.mp4: a film; the command line colours it: img2img colorize 0.mp4"


def test_a_photo_chosen_before_the_models_are_known_waits_for_them(page: ChromiumDriver, page_server: Served) -> None:
    page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HELD_MODELS})
    page.get(page_server.address)
    choose(page, PHOTOS[1])
    wait_until(page, lambda: found(page, ".card"))
    assert one(page, ".card .state").text == "waiting"
    assert found(page, "#model option") == []
    page.execute_script("letModelsCome()")
    summary(page, "1 coloured")


def test_a_server_that_does_not_answer_is_told_of_and_asked_again(page: ChromiumDriver) -> None:
    offline(page, True)
    choose(page, *PHOTOS)
    summary(page, "0 coloured, 2 failed")
    assert errors(page) == [f"{path.name}: {SILENT}" for path in PHOTOS]
    offline(page, False)
    one(page, "#retry").click()
    summary(page, "2 coloured")
    assert errors(page) == []
    assert not one(page, "#retry").is_displayed()


def test_models_that_could_not_be_had_at_first_are_asked_for_again_with_a_photo(
    page: ChromiumDriver, page_server: Served
) -> None:
    page.execute_cdp_cmd("Network.enable", {})
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/v1/models"]})
    page.get(page_server.address)
    wait_until(page, lambda: one(page, "#about").text == SILENT)
    choose(page, PHOTOS[1])
    summary(page, "0 coloured, 1 failed")
    assert errors(page) == [SILENT]
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    choose(page, PHOTOS[0])
    summary(page, "1 coloured, 1 failed")
    assert "Good at" in one(page, "#about").text


def test_another_strength_shows_and_is_what_is_downloaded(page: ChromiumDriver, tmp_path: Path) -> None:
    choose(page, *PHOTOS)
    summary(page, "2 coloured")
    before = loaded(page)
    page.execute_script(
        "const all = document.getElementById('strength'); all.value = 1.4; all.dispatchEvent(new Event('input'))"
    )
    wait_until(page, lambda: [each.partition("strength=")[2] for each in loaded(page)] == ["1.4"] * 2)
    assert loaded(page) != before
    downloads, expected = tmp_path / "downloads", tmp_path / "expected"
    expected.mkdir()
    for path, button in zip(PHOTOS, found(page, ".download"), strict=True):
        made = expected / f"{path.stem}.colorized.jpg"
        command_line("colorize", path, "-o", made, "--strength", "1.4")
        button.click()
        wait_until(page, (downloads / made.name).is_file)
        assert (downloads / made.name).read_bytes() == made.read_bytes()
    one(page, "#zip").click()
    wait_until(page, (downloads / "img2img.zip").is_file)
    with zipfile.ZipFile(downloads / "img2img.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {
            path.name: path.read_bytes() for path in expected.iterdir()
        }


def test_translate_says_what_is_unlike_the_training_pictures(page: ChromiumDriver) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, "input[value=translate] + span").click()
    summary(page, "1 translated")
    assert "score 0.00 · unlike the training pictures" in one(page, ".facts").text  # a portrait is no horse
    assert not one(page, "#strength-field").is_displayed()


def test_a_reload_begins_anew(page: ChromiumDriver, page_server: Served) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    page.refresh()
    wait_until(page, lambda: found(page, "#model option"))
    assert found(page, ".card") == []
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")


def test_the_page_signs_in_with_the_token(browser: ChromiumDriver, tmp_path: Path) -> None:
    token = "correct-horse-battery-staple"
    (tmp_path / "token").write_text(token)
    with served(tmp_path, "--token-file", str(tmp_path / "token")) as server, tab(browser, tmp_path) as page:
        page.get(server.address)
        one(page, "#token").send_keys("not the token")
        one(page, "button").click()
        wait_until(page, lambda: "That is not the token." in page.page_source)
        one(page, "#token").send_keys(token)
        one(page, "button").click()
        wait_until(page, lambda: found(page, "#model option"))
        choose(page, PHOTOS[1])
        summary(page, "1 coloured")
        assert page.execute_script("return document.cookie") == ""
        nothing_went_elsewhere(page, server.address)
        page.delete_all_cookies()
        choose(page, PHOTOS[0])
        summary(page, "1 coloured, 1 failed")
        assert errors(page) == ["this server wants its token again: reload the page"]
        page.refresh()
        assert one(page, "#token").is_displayed()
