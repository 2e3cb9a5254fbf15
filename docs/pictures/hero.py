"""Before and after, from datasets/samples: `python docs/pictures/hero.py` writes hero.jpg and samples.jpg beside it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from img2img import load

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "datasets" / "samples"
LARGE = ("killarney-1910", "migrant-family-1936")
WIDTH, GAP, HEIGHT = 640, 8, 300


def label(image: Image.Image, text: str) -> Image.Image:
    """The same picture with the text on a dark plate in its upper left corner."""
    labelled = image.copy()
    draw, font = ImageDraw.Draw(labelled), ImageFont.load_default(size=26)
    _, _, right, bottom = draw.textbbox((24, 18), text, font=font)
    draw.rectangle((12, 12, right + 12, bottom + 8), fill=(20, 20, 20))
    draw.text((24, 18), text, font=font, fill=(255, 255, 255))
    return labelled


def hero(pairs: Sequence[tuple[Image.Image, Image.Image]]) -> Image.Image:
    """A row for each photo, before and after beside each other."""
    rows = [[label(at_width(one), text) for one, text in zip(pair, ("before", "after"), strict=True)] for pair in pairs]
    height = sum(before.height for before, _ in rows) + GAP * (len(rows) - 1)
    sheet = Image.new("RGB", (2 * WIDTH + GAP, height), (255, 255, 255))
    top = 0
    for before, after in rows:
        sheet.paste(before, (0, top))
        sheet.paste(after, (WIDTH + GAP, top))
        top += before.height + GAP
    return sheet


def strip(pairs: Sequence[tuple[Image.Image, Image.Image]]) -> Image.Image:
    """All photos in a row, before above after."""
    columns = [tuple(at_height(one) for one in pair) for pair in pairs]
    sheet = Image.new("RGB", (sum(before.width for before, _ in columns), 2 * HEIGHT))
    left = 0
    for before, after in columns:
        sheet.paste(before, (left, 0))
        sheet.paste(after, (left, HEIGHT))
        left += before.width
    return sheet


def at_width(image: Image.Image) -> Image.Image:
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)


def at_height(image: Image.Image) -> Image.Image:
    return image.resize((round(image.width * HEIGHT / image.height), HEIGHT), Image.Resampling.LANCZOS)


def main() -> None:
    colorize = load("colorizer")
    pairs = {}
    for path in sorted(SAMPLES.glob("*.jpg")):
        with Image.open(path) as photo:
            pairs[path.stem] = (photo.convert("RGB"), colorize(photo))
    hero([pairs[name] for name in LARGE]).save(HERE / "hero.jpg", quality=85)
    strip(list(pairs.values())).save(HERE / "samples.jpg", quality=90)


if __name__ == "__main__":
    main()
