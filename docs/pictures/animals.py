"""A horse and a zebra, drawn: `python docs/pictures/animals.py` writes them into datasets/drawn."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

DRAWN = Path(__file__).resolve().parents[2] / "datasets" / "drawn"
SIZE = (896, 672)
ANIMAL, CORNER = (768, 576), (72, 88)
"""The animal's own canvas, and where that lies: with room around it, as horses have in most photos."""
LEGS = ((268, 352, 26), (312, 356, 24), (472, 352, 26), (514, 346, 28))


def silhouette() -> Image.Image:
    """Where the animal is, without mane and tail: 255 inside."""
    mask = Image.new("L", ANIMAL)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((240, 212, 420, 372), fill=255)
    draw.ellipse((380, 206, 556, 366), fill=255)
    draw.rectangle((320, 222, 470, 356), fill=255)
    draw.polygon([(250, 300), (330, 226), (246, 118), (206, 106), (196, 150)], fill=255)
    draw.ellipse((178, 92, 262, 158), fill=255)
    draw.polygon([(206, 100), (244, 146), (158, 226), (132, 214), (134, 190)], fill=255)
    draw.polygon([(228, 100), (236, 66), (252, 106)], fill=255)
    for left, top, width in LEGS:
        draw.polygon(
            [(left - 8, top - 40), (left + width + 10, top - 40), (left + width - 3, 450), (left + 3, 450)], fill=255
        )
        draw.polygon([(left + 4, 440), (left + width - 4, 440), (left + width - 2, 512), (left + 2, 512)], fill=255)
    return _placed(mask.filter(ImageFilter.GaussianBlur(5)).point(lambda value: 255 if value > 128 else 0))


def hair() -> Image.Image:
    mask = Image.new("L", ANIMAL)
    draw = ImageDraw.Draw(mask)
    draw.polygon([(236, 88), (256, 100), (350, 226), (322, 240), (262, 160)], fill=255)
    draw.polygon([(546, 240), (570, 262), (592, 350), (584, 420), (566, 410), (556, 330), (536, 280)], fill=255)
    for left, _, width in LEGS:
        draw.rectangle((left, 500, left + width, 520), fill=255)
    return _placed(mask)


def _placed(mask: Image.Image) -> Image.Image:
    whole = Image.new("L", SIZE)
    whole.paste(mask, CORNER)
    return whole


def texture(seed: int, size: int) -> np.ndarray:
    """(H, W, 1) around 0: noise of that grain."""
    width, height = SIZE
    noise = np.random.default_rng(seed).normal(size=(height // size + 1, width // size + 1)).astype(np.float32)
    return np.asarray(Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC))[..., None]


def meadow() -> np.ndarray:
    y = np.linspace(0, 1, SIZE[1])[:, None, None]
    sky = np.array([150, 180, 215]) + 50 * y
    grass = np.array([100, 125, 55]) * (0.75 + 0.5 * y) + 16 * texture(1, 2) + 14 * texture(2, 12)
    trees = np.array([50, 75, 45]) + 18 * texture(3, 8) + 8 * texture(4, 2)
    edge = 0.34 + 0.02 * texture(5, 48)
    return np.where(y < edge - 0.10, sky, np.where(y < edge, trees, grass))


def animal(coat: np.ndarray) -> Image.Image:
    body, dark = (
        np.asarray(mask.filter(ImageFilter.GaussianBlur(1.2)))[..., None] / 255 for mask in (silhouette(), hair())
    )
    relief = np.asarray(silhouette().filter(ImageFilter.GaussianBlur(26)), np.float32)[..., None] / 255
    y = np.linspace(0, 1, SIZE[1])[:, None, None]
    light = 0.55 + 0.55 * relief + 0.35 * (0.55 - y)
    scene = meadow()
    scene = scene * (1 - body) + coat * light * body
    scene = scene * (1 - dark) + np.array([38, 28, 24]) * dark
    scene += 3 * texture(9, 1)
    return Image.fromarray(scene.clip(0, 255).astype(np.uint8))


def main() -> None:
    brown = np.array([105, 72, 50]) + 6 * texture(6, 3) + 8 * texture(7, 40)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    waves = np.sin((x + 0.25 * y + 14 * texture(8, 60)[..., 0]) / 5.2)[..., None]
    striped = np.where(waves > -0.1, np.array([236, 230, 220]), np.array([30, 26, 26])) + 5 * texture(6, 3)
    for name, coat in (("horse", brown), ("zebra", striped)):
        animal(coat).save(DRAWN / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
