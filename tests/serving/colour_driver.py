"""What tests of colours on the page do with a photo in the viewer, and ask of its picture."""

from page_driver import found, one, wait_until
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chromium.webdriver import ChromiumDriver
from selenium.webdriver.remote.webelement import WebElement

PLACE = """
const box = document.querySelector(".sheet").getBoundingClientRect();
return [box.left + box.width * arguments[0] / 100, box.top + box.height * arguments[1] / 100];
"""
COLOR = """
const image = document.querySelector(arguments[0]);
if (!image.complete || !image.naturalWidth) return null;
const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
const context = canvas.getContext("2d");
context.drawImage(image, 0, 0);
const [x, y] = [arguments[1] * canvas.width / 100, arguments[2] * canvas.height / 100];
const { data } = context.getImageData(Math.max(0, x - 4), Math.max(0, y - 4), 9, 9);
return [0, 1, 2].map((channel) => {
  let sum = 0;
  for (let at = channel; at < data.length; at += 4) sum += data[at];
  return sum / (data.length / 4);
});
"""
HANDLES = """
const box = document.querySelector(".sheet").getBoundingClientRect();
return [...document.querySelectorAll(".handle")].map((handle) => {
  const { left, top, width, height } = handle.getBoundingClientRect();
  return [100 * (left + width / 2 - box.left) / box.width, 100 * (top + height / 2 - box.top) / box.height];
});
"""


def place_in_window(page: ChromiumDriver, x: float, y: float) -> tuple[float, float]:
    """Of a place of the photo, in percent."""
    left, top = page.execute_script(PLACE, x, y)
    return left, top


def click_photo(page: ChromiumDriver, x: float, y: float) -> list[WebElement]:
    """At a place in percent; the colours that are suggested there."""
    mouse(page, (x, y))
    return suggested(page)


def mouse(page: ChromiumDriver, *places: tuple[float, float]) -> None:
    """Pressed at the first place of the photo, in percent, released at the last."""
    points = [dict(zip("xy", place_in_window(page, *place), strict=True)) for place in places]
    button = {"button": "left", "buttons": 1, "clickCount": 1}
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **points[0]})
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mousePressed", **points[0], **button})
    for point in points[1:]:
        page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **point, **button})
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseReleased", **points[-1], **button})


def shut(page: ChromiumDriver) -> None:
    """Escape closes what popped up; the page hears of it a little later, and then forgets the place."""
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    is_shut(page)


def is_shut(page: ChromiumDriver) -> None:
    wait_until(page, lambda: not one(page, "#colours").is_displayed())
    wait_until(page, lambda: not (one(page, ".spot").is_displayed() or found(page, ".handle.current")))


def suggested(page: ChromiumDriver) -> list[WebElement]:
    wait_until(page, lambda: one(page, "#colours").is_displayed() and found(page, ".swatch:not(:disabled)"))
    return found(page, ".swatch")


def color_of(page: ChromiumDriver, x: float, y: float, picture: str = ".sheet .after") -> tuple[float, float, float]:
    """Mean R, G and B around a place of a picture, in percent, once it is there."""
    seen: list[tuple[float, float, float]] = []  # asked twice, it could be on its way to another picture meanwhile

    def is_there() -> bool:
        if mean := page.execute_script(COLOR, picture, x, y):
            red, green, blue = mean
            seen.append((red, green, blue))
        return bool(seen)

    wait_until(page, is_there)
    return seen[0]


def tint(color: tuple[float, float, float]) -> tuple[float, float]:
    """R and B beside G: what is left of a colour without its luma."""
    red, green, blue = color
    return red - green, blue - green


def parsed(code: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


def off(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two tints are apart."""
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


def handles(page: ChromiumDriver) -> list[tuple[float, float]]:
    """Where they are on the photo, in percent."""
    return [(x, y) for x, y in page.execute_script(HANDLES)]


def said(page: ChromiumDriver) -> str:
    """What a screen reader was last told in the viewer."""
    return str(one(page, ".said").get_attribute("textContent")).removesuffix(".")


def type_color(page: ChromiumDriver, selector: str, code: str, *, is_final: bool = True) -> None:
    """As its own window, which no test can reach, would give it."""
    script = """
    const input = document.querySelector(arguments[0]);
    input.value = arguments[1];
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (arguments[2]) input.dispatchEvent(new Event("change", { bubbles: true }));
    """
    page.execute_script(script, selector, code, is_final)


def slide(page: ChromiumDriver, selector: str, value: float) -> None:
    script = "const range = arguments[0]; range.value = arguments[1]; range.dispatchEvent(new Event('input'))"
    page.execute_script(script, one(page, selector), value)
