"""The pictures of docs/how-to/steer.md: `python docs/pictures/steered.py` writes references.jpg and hints.jpg."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from img2img import load
from img2img.inference.colorizer import Colorizer

HEIGHT = 330
SAMPLES = "datasets/samples"
STREET, FAMILY, LAKE, POET = "madison-square-1900", "migrant-family-1936", "killarney-1910", "whitman-1860s"
HINTS = ("55%,58%=#3f5f8f", "61%,32%=#7d3b46", "46%,73%=#e3c15b")  # jeans, shirt, the child's shirt
STRAY = "20%,85%=#3fa05f"  # on the sand, which has no outline to stop it


def sample(name: str) -> Image.Image:
    with Image.open(f"{SAMPLES}/{name}.jpg") as image:
        return image.convert("L")


def sunset() -> Image.Image:
    """From violet above to orange below."""
    share = np.linspace(0, 1, 300)[:, None, None]
    rows = (1 - share) * np.array([92, 70, 130]) + share * np.array([240, 140, 60])
    return Image.fromarray(np.broadcast_to(rows, (300, 400, 3)).astype(np.uint8))


def references(colorizer: Colorizer) -> Image.Image:
    """A street by itself, then after a wood, a portrait and a drawn sunset, each with its reference in a corner."""
    street = sample(STREET)
    shown = [at_height(street), at_height(colorizer(street))]
    for reference in (colorizer(sample(LAKE)), colorizer(sample(POET)), sunset()):
        result = at_height(colorizer(street, reference=reference))
        corner = at_height(reference, HEIGHT // 4)
        result.paste(corner, (0, HEIGHT - corner.height))
        shown.append(result)
    return beside(shown)


def hints(colorizer: Colorizer) -> Image.Image:
    """A family by itself, with one, two and three hints, and with one more that runs over sand and shadow."""
    family = sample(FAMILY)
    ways = [HINTS[:count] for count in range(len(HINTS) + 1)] + [(*HINTS, STRAY)]
    return beside([at_height(family), *(at_height(colorizer(family, hints=way)) for way in ways)])


def at_height(image: Image.Image, height: int = HEIGHT) -> Image.Image:
    return image.convert("RGB").resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)


def beside(images: Sequence[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (sum(image.width for image in images), HEIGHT))
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width
    return sheet


def main() -> None:
    colorizer = load("colorizer")
    references(colorizer).save("docs/pictures/references.jpg", quality=88)
    hints(colorizer).save("docs/pictures/hints.jpg", quality=88)


if __name__ == "__main__":
    main()
