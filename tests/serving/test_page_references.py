"""The page in a real browser: another photo's colours, a palette, warmth, and files of hints."""

import json
import zipfile
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from colour_driver import color_of, handles, off, slide, tint, type_color
from page_driver import PHOTOS, choose, drop, enlarged, errors, found, loaded, one, put_back, summary, wait_until
from PIL import Image
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import Served, command_line

from img2img.serving.previews import KEPT_BYTES

pytest_plugins = ["page_fixtures"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = {"x": "70%", "y": "90%", "color": "#203c90"}
HINTS = {"img2img": "hints", "version": 1, "hints": [FIRST, {"x": 300, "y": 300, "color": "#a22"}]}


@pytest.fixture
def autumn(tmp_path: Path) -> Path:
    colours = np.array([[200, 90, 30], [230, 150, 40], [120, 60, 30], [60, 90, 130]], np.uint8)
    path = tmp_path / "autumn.png"
    Image.fromarray(colours.reshape(2, 2, 3)).resize((80, 60), Image.Resampling.BICUBIC).save(path)
    return path


def shows_error(page: ChromiumDriver, words: str) -> bool:
    return errors(page) == [words]


def downloaded(page: ChromiumDriver, tmp_path: Path, name: str) -> bytes:
    one(page, ".card .download").click()
    path = tmp_path / "downloads" / name
    wait_until(page, path.is_file)
    return path.read_bytes()


def hints_file(folder: Path, name: str, content: object = HINTS) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_a_photo_dropped_on_another_is_its_reference(page: ChromiumDriver, autumn: Path, tmp_path: Path) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    before = tint(color_of(page, 80, 80, ".card .after"))
    drop(page, autumn, onto=".card .compare")
    wait_until(page, lambda: one(page, ".reference img").is_displayed())
    assert len(found(page, ".card")) == 1
    assert one(page, ".reference img").accessible_name == "autumn.png, whose colours these lean to"
    wait_until(page, lambda: off(tint(color_of(page, 80, 80, ".card .after")), before) > 10)
    leaning = tint(color_of(page, 80, 80, ".card .after"))
    slide(page, ".influence", 0.4)
    wait_until(page, lambda: "influence=0.4" in loaded(page)[0])
    assert off(tint(color_of(page, 80, 80, ".card .after")), before) < off(leaning, before)
    made = downloaded(page, tmp_path, "killarney-1910.colorized.jpg")
    words = ["--reference", autumn, "--influence", "0.4"]
    command_line("colorize", PHOTOS[0], "-o", tmp_path / "made.jpg", *words)
    assert made == (tmp_path / "made.jpg").read_bytes()
    one(page, ".unlean").click()
    wait_until(page, lambda: "reference" not in loaded(page)[0])
    assert one(page, ".lean").is_displayed()


def test_a_photo_dropped_on_the_enlarged_one_is_its_reference_too(page: ChromiumDriver, autumn: Path) -> None:
    choose(page, *PHOTOS)
    summary(page, "2 coloured")
    enlarged(page)
    before = tint(color_of(page, 80, 80))
    drop(page, autumn, onto=".stage")
    wait_until(page, lambda: off(tint(color_of(page, 80, 80)), before) > 10)
    wait_until(page, lambda: one(page, ".viewer .state").text == "1024 x 789, full size")
    assert off(tint(color_of(page, 80, 80)), before) > 10
    put_back(page)
    first, second = found(page, ".card .reference img")
    assert (first.is_displayed(), second.is_displayed()) == (True, False)
    assert len(found(page, ".card")) == 2


def test_two_files_dropped_on_a_card_are_photos_of_their_own(page: ChromiumDriver, autumn: Path) -> None:
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")
    drop(page, autumn, PHOTOS[0], onto=".card .compare")
    summary(page, "3 coloured")


def test_what_is_no_photo_is_no_reference(page: ChromiumDriver, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary")
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")
    drop(page, notes, onto=".card .compare")
    wait_until(page, lambda: errors(page))
    assert errors(page) == ["notes.txt: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"]
    assert "reference" not in loaded(page)[0]


def test_another_photo_is_chosen_for_one_and_for_all(page: ChromiumDriver, autumn: Path) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, ".lean").click()
    one(page, "#other-photo").send_keys(str(autumn))
    wait_until(page, lambda: "reference=" in loaded(page)[0])
    one(page, ".unlean").click()
    wait_until(page, lambda: "reference=" not in loaded(page)[0])
    one(page, "#reference-all").click()
    one(page, "#other-photo").send_keys(str(autumn))
    choose(page, PHOTOS[1])  # comes later, and yet
    summary(page, "2 coloured")
    wait_until(page, lambda: all("reference=" in each for each in loaded(page)))
    assert len({each.rpartition("reference=")[2] for each in loaded(page)}) == 1  # was sent once
    assert one(page, "#reference-all").text == "Not autumn.png any more"
    one(page, "#reference-all").click()
    wait_until(page, lambda: not any("reference=" in each for each in loaded(page)))


def test_palette_and_warmth_are_for_all_photos(page: ChromiumDriver, tmp_path: Path) -> None:
    choose(page, PHOTOS[0])
    summary(page, "1 coloured")
    one(page, "#add-colour").click()
    type_color(page, "#palette input", "#2f4858")
    one(page, "#add-colour").click()
    slide(page, "#influence", 0.5)
    slide(page, "#warmth", -0.4)
    wait_until(page, lambda: "warmth=-0.4&palette=%232f4858%2C%232f4858&influence=0.5" in loaded(page)[0])
    found(page, "#palette button")[1].click()
    choose(page, PHOTOS[1])  # comes later, and yet
    summary(page, "2 coloured")
    wait_until(page, lambda: all("warmth=-0.4&palette=%232f4858&influence=0.5" in each for each in loaded(page)))
    one(page, "#zip").click()
    packed = tmp_path / "downloads" / "img2img.zip"
    wait_until(page, packed.is_file)
    words = ["--palette", "#2f4858", "--influence", "0.5", "--warmth", "-0.4"]
    with zipfile.ZipFile(packed) as results:
        for path in PHOTOS:
            command_line("colorize", path, "-o", tmp_path / path.name, *words)
            assert results.read(f"{path.stem}.colorized.jpg") == (tmp_path / path.name).read_bytes()


def test_hints_that_are_dropped_go_to_the_photo_of_their_name(page: ChromiumDriver, tmp_path: Path) -> None:
    hints = hints_file(tmp_path, "killarney-1910.hints.json")
    drop(page, *PHOTOS, hints)
    summary(page, "2 coloured")
    wait_until(page, lambda: [each.text for each in found(page, ".card .set")] == ["· 2 colours set", ""])
    one(page, "#zip").click()
    packed = tmp_path / "downloads" / "img2img.zip"
    wait_until(page, packed.is_file)
    command_line("colorize", PHOTOS[0], "-o", tmp_path / "made.jpg", "--hints", hints)
    with zipfile.ZipFile(packed) as results:
        assert sorted(results.namelist()) == [
            "killarney-1910.colorized.jpg",
            "killarney-1910.hints.json",
            "whitman-1860s.colorized.jpg",
        ]
        assert results.read("killarney-1910.colorized.jpg") == (tmp_path / "made.jpg").read_bytes()
        kept = json.loads(results.read("killarney-1910.hints.json"))
    assert kept == HINTS | {"hints": [FIRST, {"x": 300, "y": 300, "color": "#aa2222"}]}
    enlarged(page)
    assert handles(page) == [
        pytest.approx((70, 90), abs=0.2),
        pytest.approx((100 * 300.5 / 1024, 100 * 300.5 / 789), abs=0.2),
    ]


def test_hints_are_dropped_on_a_card_whatever_their_name_and_what_is_wrong_with_them_is_told(
    page: ChromiumDriver, tmp_path: Path
) -> None:
    choose(page, *PHOTOS)
    summary(page, "2 coloured")
    drop(page, hints_file(tmp_path, "other.hints.json"), onto="footer")
    words = "other.hints.json: drop it on its photo; none of these is called other"
    wait_until(page, lambda: one(page, "#summary").text == words)
    drop(page, hints_file(tmp_path, "other.hints.json"), onto=".card .compare")
    wait_until(page, lambda: found(page, ".card .set")[0].text == "· 2 colours set")
    for content, says in (
        ([], "bad.hints.json: holds no hints that this page reads; take a file that img2img saved"),
        (HINTS | {"hints": [{"x": "101%", "y": 1, "color": "#fff"}]}, "bad.hints.json: hint 1 has no x, y and color"),
        (HINTS | {"hints": [FIRST] * 257}, "bad.hints.json: more than 256 hints"),
    ):
        drop(page, hints_file(tmp_path, "bad.hints.json", content), onto=".card .compare")
        wait_until(page, partial(shows_error, page, says))
    assert found(page, ".card .set")[0].text == "· 2 colours set"


def test_what_the_server_has_forgotten_is_sent_again(page: ChromiumDriver, page_server: Served, autumn: Path) -> None:
    choose(page, PHOTOS[1])
    summary(page, "1 coloured")
    drop(page, autumn, onto=".card .compare")
    wait_until(page, lambda: "reference" in loaded(page)[0])
    before = loaded(page)[0]
    noise = BytesIO()
    Image.effect_noise((1280, 1280), 90).convert("RGB").save(noise, "JPEG", quality=30)
    for _ in range(KEPT_BYTES // (1280 * 1280 * 3)):
        page_server.ask("POST", "/api/v1/previews", noise.getvalue())
    assert page_server.ask("GET", before.removeprefix(page_server.address)).status == 404
    slide(page, ".one-warmth input", 0.5)
    wait_until(page, lambda: "warmth=0.5" in loaded(page)[0] and one(page, ".card .after").get_property("naturalWidth"))
    summary(page, "1 coloured")
    assert "reference" in loaded(page)[0]
    assert before.partition("/after")[0] not in loaded(page)[0]
    assert errors(page) == []
