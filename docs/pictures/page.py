"""The pictures of the page: `PYTHONPATH=tests:tests/serving python docs/pictures/page.py` writes serve*.webp."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from chromium import chromium, tab
from colour_driver import click_photo, handles, slide, type_color
from page_driver import SAMPLES, choose, enlarged, loaded, one, open_page, summary, wait_until
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from served import served

PHOTOS = ("killarney-1910", "migrant-family-1936", "madison-square-1900", "whitman-1860s")
RED, CREAM, BLUE = "#8a2b2b", "#e0cc98", "#2f5597"
HINTS = ((29.9, 52.1, RED), (36.4, 47.0, RED), (44.0, 64.1, RED), (50.0, 43.4, CREAM), (61.2, 62.1, BLUE))


def four_photos(page: ChromiumDriver) -> None:
    choose(page, *(SAMPLES / f"{name}.jpg" for name in PHOTOS))
    summary(page, "4 coloured")
    loaded(page)


def colours_of_ones_own(page: ChromiumDriver) -> None:
    """A car, its roof and a coat, with the last one's swatches still open."""
    choose(page, SAMPLES / f"{PHOTOS[0]}.jpg")
    summary(page, "1 coloured")
    enlarged(page)
    slide(page, "#viewer .splitter input", 15)
    for count, (x, y, code) in enumerate(HINTS, 1):
        click_photo(page, x, y)
        type_color(page, ".any input", code)
        wait_until(page, lambda count=count: len(handles(page)) == count)
        if count < len(HINTS):
            ActionChains(page).send_keys(Keys.ESCAPE).perform()
    wait_until(page, lambda: one(page, ".viewer .state").text.endswith(", full size"))


def main() -> None:
    with TemporaryDirectory() as folder, served(Path(folder)) as server, chromium() as browser:
        for name, size, show in (
            ("serve", (1400, 900), four_photos),
            ("serve-colours", (1200, 860), colours_of_ones_own),
        ):
            with tab(browser, Path(folder), *size) as page:
                open_page(page, server.address)
                show(page)
                with Image.open(BytesIO(page.get_screenshot_as_png())) as picture:
                    picture.convert("RGB").save(f"docs/pictures/{name}.webp", quality=75, method=6)


if __name__ == "__main__":
    main()
