"""The picture that opens the README: `img2img colorize datasets/samples -o coloured && python docs/before_after.py`."""

from pathlib import Path

from PIL import Image

HEIGHT = 300
SAMPLES, COLOURED = Path("datasets/samples"), Path("coloured")


def at_height(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize((round(image.width * HEIGHT / image.height), HEIGHT))


def main() -> None:
    names = sorted(path.name for path in SAMPLES.glob("*.jpg"))
    pairs = [(at_height(SAMPLES / name), at_height(COLOURED / name)) for name in names]
    sheet = Image.new("RGB", (sum(before.width for before, _ in pairs), 2 * HEIGHT))
    left = 0
    for before, after in pairs:
        sheet.paste(before, (left, 0))
        sheet.paste(after, (left, HEIGHT))
        left += before.width
    sheet.save("docs/samples.jpg", quality=90)


if __name__ == "__main__":
    main()
