"""The colorizer: a photo comes back whole, coloured by the model, with its own luma."""

import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_model import tiny_model, write_tiny_model

from img2img import color
from img2img.errors import ModelError, UnreadablePhoto, UsageError
from img2img.inference.colorizer import Colorizer
from img2img.lab import lab_to_rgb, lightness
from img2img.photo import JpegSettings, Photo, read_photo, write_photo

A, B = 20 / 110, 10 / 110  # a warm brown everywhere


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny_model(A, B))


@pytest.fixture(scope="module")
def colorizer(model: Path) -> Colorizer:
    return Colorizer(model, threads=1)


def ramp(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.add.outer(np.linspace(0, top // 2, height), np.linspace(0, top // 2, width)).astype(dtype)


def test_grey_photo_gets_the_predicted_chroma_and_keeps_its_luma(colorizer: Colorizer) -> None:
    grey = np.full((50, 70), 128, np.uint8)
    coloured = colorizer.convert(Photo(grey, "L"))
    assert coloured.space == "YCbCr"
    np.testing.assert_array_equal(coloured.pixels[..., 0], grey)
    lab = np.array([lightness(grey)[0, 0], 20, 10], np.float32)[:, None, None]
    red, green, blue = 255 * lab_to_rgb(lab).ravel()
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    expected = [128 + (blue - y) / 1.772, 128 + (red - y) / 1.402]
    np.testing.assert_allclose(coloured.pixels[0, 0, 1:], expected, atol=0.6)
    assert (coloured.pixels == coloured.pixels[0, 0]).all()


def test_everything_but_the_pixels_is_carried_over(colorizer: Colorizer) -> None:
    jpeg = JpegSettings(tables=(tuple(range(1, 65)),), subsampling=1)
    photo = Photo(
        ramp(40, 60),
        "L",
        alpha=ramp(40, 60),
        icc=b"icc",
        exif=b"exif",
        xmp=b"xmp",
        dpi=(300, 600),
        format="TIFF",
        jpeg=jpeg,
    )
    coloured = colorizer.convert(photo)
    assert coloured.alpha is photo.alpha
    assert replace(coloured, pixels=photo.pixels, space="L").__dict__ == photo.__dict__


def test_colour_photo_is_recoloured_from_its_luma(colorizer: Colorizer) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    from_colour = colorizer.convert(Photo(pixels, "RGB"))
    from_grey = colorizer.convert(Photo(color.luma(Photo(pixels, "RGB")), "L"))
    np.testing.assert_array_equal(from_colour.pixels, from_grey.pixels)


def test_sepia_print_becomes_neutral_first(tmp_path: Path) -> None:
    """With a model that sees no colour anywhere, nothing is left of the sepia."""
    blind = Colorizer(write_tiny_model(tmp_path / "blind.onnx", tiny_model(0, 0)), threads=1)
    sepia = np.stack([ramp(40, 60), (ramp(40, 60) * 0.8).astype(np.uint8), ramp(40, 60) // 2], axis=2)
    assert (blind.convert(Photo(sepia, "RGB")).pixels[..., 1:] == 128).all()


@pytest.mark.parametrize("space", ["L", "RGB"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_16_bit_stays_16_bit(colorizer: Colorizer, space: str, dtype: type) -> None:
    grey = ramp(40, 60, dtype)
    pixels = grey if space == "L" else np.stack([grey] * 3, axis=2)
    coloured = colorizer.convert(Photo(pixels, space))  # type: ignore[arg-type]
    assert coloured.pixels.dtype == dtype
    assert coloured.space == ("YCbCr" if dtype == np.uint8 else "RGB")
    if dtype == np.uint16:
        assert np.abs(coloured.pixels @ np.array([0.299, 0.587, 0.114]) - grey).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strength_0_gives_the_grey_photo_back(colorizer: Colorizer, dtype: type) -> None:
    grey = ramp(40, 60, dtype)
    pixels = colorizer.convert(Photo(grey, "L"), strength=0).pixels
    if dtype == np.uint8:
        np.testing.assert_array_equal(pixels[..., 0], grey)
        assert (pixels[..., 1:] == 128).all()
    else:
        np.testing.assert_array_equal(pixels, np.stack([grey] * 3, axis=2))


def test_more_strength_gives_more_colour(colorizer: Colorizer) -> None:
    photo = Photo(np.full((40, 60), 128, np.uint8), "L")
    by_strength = [colorizer.convert(photo, strength=s).pixels[0, 0, 1:].astype(float) for s in (0, 0.5, 1, 1.3, 5)]
    chroma = [np.hypot(*(pair - 128)) for pair in by_strength]
    assert chroma == sorted(chroma)
    assert chroma[3] > 1.15 * chroma[2]


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1.7e308), st.sampled_from([np.uint8, np.uint16]))
@example(1e30, np.uint8)
@example(1e30, np.uint16)
def test_any_strength_keeps_the_luma(colorizer: Colorizer, strength: float, dtype: type) -> None:
    grey = ramp(40, 60, dtype)
    coloured = colorizer.convert(Photo(grey, "L"), strength=strength)
    pixels = np.asarray(coloured.to_image()) if dtype == np.uint8 else coloured.pixels
    assert np.abs(pixels @ np.array([0.299, 0.587, 0.114]) - grey).max() <= 1


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_strength_that_means_nothing_is_refused(colorizer: Colorizer, strength: float) -> None:
    with pytest.raises(UsageError, match="strength"):
        colorizer.convert(Photo(ramp(8, 8), "L"), strength=strength)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (7, 5), (33, 2000), (256, 256)])
def test_any_size_comes_back_as_it_was(colorizer: Colorizer, size: tuple[int, int]) -> None:
    coloured = colorizer.convert(Photo(ramp(*size), "L"))
    np.testing.assert_array_equal(coloured.pixels[..., 0], ramp(*size))


@pytest.mark.parametrize(
    ("mode", "result"), [("L", "RGB"), ("LA", "RGBA"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("1", "RGB")]
)
def test_pillow_image_in_pillow_image_out(colorizer: Colorizer, mode: str, result: str) -> None:
    image = Image.fromarray(ramp(40, 60)).convert(mode)
    coloured = colorizer(image)
    assert (coloured.mode, coloured.size) == (result, image.size)
    luma = np.asarray(coloured.convert("RGB")) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - np.asarray(image.convert("L"))).max() <= 1


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_empty_image_is_refused(colorizer: Colorizer, size: tuple[int, int]) -> None:
    with pytest.raises(UnreadablePhoto, match=f"{size[0]} x {size[1]} pixels"):
        colorizer(Image.new("L", size))


def test_model_sees_lightness_in_its_own_unit(tmp_path: Path) -> None:
    """ab = L / 50 - 1 makes white warm and black cold; at L 50 it is neutral."""
    colorizer = Colorizer(write_tiny_model(tmp_path / "slope.onnx", tiny_model(0, 0, slope=0.2)), threads=1)
    dark, mid, light = (
        colorizer.convert(Photo(np.full((40, 60), grey, np.uint8), "L")).pixels[0, 0, 2] for grey in (60, 119, 200)
    )
    assert dark < 128 == mid < light


def test_threads_may_share_one_colorizer(colorizer: Colorizer) -> None:
    photos = [Photo(np.full((30 + i, 40), 8 * i, np.uint8), "L") for i in range(24)]
    alone = [colorizer.convert(photo).pixels for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(colorizer.convert, photos))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other.pixels)


def test_threads_change_no_pixel(model: Path, colorizer: Colorizer) -> None:
    photo = Photo(ramp(700, 900), "L")
    np.testing.assert_array_equal(Colorizer(model, threads=2).convert(photo).pixels, colorizer.convert(photo).pixels)


@pytest.mark.parametrize("space", ["L", "RGB"])
def test_working_memory_is_at_most_16_bytes_a_pixel(colorizer: Colorizer, space: str) -> None:
    grey = ramp(2000, 2500)
    photo = Photo(grey if space == "L" else np.stack([grey] * 3, axis=2), space)  # type: ignore[arg-type]
    tracemalloc.start()
    colorizer.convert(photo)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 16 * grey.size


def test_luma_in_the_file_is_the_photos(colorizer: Colorizer, tmp_path: Path) -> None:
    source, target = tmp_path / "grey.png", tmp_path / "coloured.png"
    Image.fromarray(ramp(120, 160)).save(source)
    write_photo(colorizer.convert(read_photo(source)), target)
    with Image.open(target) as image:
        luma = np.asarray(image.convert("RGB")) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - ramp(120, 160)).max() <= 1


def test_model_for_another_task_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "horse2zebra.onnx", tiny_model(A, B), task="translate")
    with pytest.raises(ModelError, match=r"horse2zebra\.onnx: .*'translate'.*'colorize'.*img2img models"):
        Colorizer(path)


def test_model_that_gives_no_ab_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "three.onnx", tiny_model(A, B, outputs=3))
    with pytest.raises(ModelError, match=r"three\.onnx: gives no colours.*\(1, 3, 32, 32\)"):
        Colorizer(path)


def test_model_that_gives_no_numbers_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "nan.onnx", tiny_model(float("nan"), B))
    with pytest.raises(ModelError, match=r"nan\.onnx: gives no colours"):
        Colorizer(path)


def test_file_that_is_a_graph_no_more_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "odd.onnx", b"\x08\x09")  # a valid message, of an IR version alone
    with pytest.raises(ModelError, match=r"odd\.onnx: ONNX Runtime .* cannot load it") as caught:
        Colorizer(path)
    assert "\n" not in str(caught.value)


def test_colouring_imports_no_torch(model: Path, tmp_path: Path) -> None:
    Image.fromarray(ramp(40, 60)).save(tmp_path / "grey.jpg")
    code = (
        "import sys; from pathlib import Path\n"
        "from img2img import load, read_photo, write_photo\n"
        f"photo = load({str(model)!r}).convert(read_photo(Path({str(tmp_path / 'grey.jpg')!r})))\n"
        f"write_photo(photo, Path({str(tmp_path / 'out.jpg')!r}))\n"
        "print(sorted({'torch', 'onnx', 'kornia', 'tifffile', 'png'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
