"""The translator: a photo comes back whole, drawn anew by the model, small or as it is, in tiles or not."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from noise import noise
from PIL import Image
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import (
    IDENTITY,
    NEGATIVE,
    RED_TO_BLUE,
    conv_graph,
    matrix_translator,
    normed_translator,
    write_translator,
)

from img2img.errors import ModelError, UnreadablePhoto, UsageError
from img2img.inference import tiling, translator
from img2img.inference.cycle import there_and_back
from img2img.inference.translator import Translator
from img2img.photo import JpegSettings, Photo, read_photo, write_photo

CHECKOUT = Path(__file__).resolve().parents[2]
HALF_A_LEVEL = 0.5 / 127.5
SIZES = pytest.mark.parametrize("size", ["card", "native", 100])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("translators")


@pytest.fixture(scope="module")
def negative(folder: Path) -> Translator:
    return Translator(matrix_translator(folder / "negative.onnx", NEGATIVE), threads=1)


@pytest.fixture(scope="module")
def normed(folder: Path) -> Translator:
    return Translator(normed_translator(folder / "normed.onnx"), threads=1)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos of more than 100 x 100 pixels in tiles of 320 at most."""
    monkeypatch.setattr(translator, "WHOLE_PIXELS", 10_000)
    monkeypatch.setattr(tiling, "TILE_SIDE", 320)
    monkeypatch.setattr(tiling, "SMALLEST_CORE", 64)


@SIZES
def test_even_photo_becomes_what_the_model_says(negative: Translator, size: translator.Size) -> None:
    photo = Photo(np.broadcast_to(np.array([10, 100, 200], np.uint8), (50, 70, 3)), "RGB")
    translated = negative.convert(photo, size=size)
    assert translated.space == "RGB"
    np.testing.assert_array_equal(translated.pixels, 255 - photo.pixels)


def test_channels_are_red_green_and_blue(tmp_path: Path) -> None:
    swap = Translator(matrix_translator(tmp_path / "swap.onnx", RED_TO_BLUE), threads=1)
    image = Image.new("RGB", (40, 30), (200, 100, 50))
    for size in ("card", "native"):
        assert swap(image, size=size).getpixel((20, 15)) == (50, 100, 200)


def test_detail_that_the_network_cannot_see_stays(tmp_path: Path) -> None:
    """At the card's size the network lightens a blur; the photo's own grain must come through."""
    lighter = Translator(matrix_translator(tmp_path / "lighter.onnx", IDENTITY, (0.4, 0.8, 0)), threads=1)
    photo = noise(300, 400, 3) // 2
    np.testing.assert_array_equal(lighter.convert(Photo(photo, "RGB")).pixels, photo + np.array([51, 102, 0], np.uint8))


@pytest.mark.parametrize("size", ["card", 100])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_nothing_of_the_photo_shines_through_a_picture_drawn_anew(
    tmp_path: Path, size: translator.Size, dtype: type
) -> None:
    """The network draws one colour whatever it sees: a change of the blur alone would leave the grain."""
    anew = Translator(matrix_translator(tmp_path / "anew.onnx", 0 * IDENTITY, (-0.6, 0.2, 1), result="picture"))
    top = np.iinfo(dtype).max
    for photo in (Photo(noise(300, 400, 3, dtype=dtype), "RGB", icc=b"icc"), Photo(noise(90, 60, dtype=dtype), "L")):
        drawn = anew.convert(photo, size=size)
        expected: np.ndarray = (np.array([0.2, 0.6, 1]) * top).astype(dtype)
        np.testing.assert_array_equal(drawn.pixels, np.broadcast_to(expected, (*photo.pixels.shape[:2], 3)))
        assert (drawn.space, drawn.icc) == ("RGB", photo.icc)


def test_picture_drawn_at_the_photos_size_is_the_same_enlarged_or_native(folder: Path) -> None:
    anew = Translator(matrix_translator(folder / "anew.onnx", RED_TO_BLUE, result="picture"), threads=1)
    photo = Photo(noise(64, 64, 3), "RGB")
    for size in ("card", "native"):
        np.testing.assert_array_equal(anew.convert(photo, size=size).pixels, photo.pixels[..., ::-1])


def test_film_steadies_the_picture_that_is_drawn_anew(folder: Path) -> None:
    anew = Translator(matrix_translator(folder / "film.onnx", IDENTITY, result="picture"), threads=1)
    photo = Photo(np.full((64, 64, 3), 204, np.uint8), "RGB")
    drawn = anew.convert(photo, steady=lambda luma, picture: picture - 0.4)  # 51 grey levels darker
    np.testing.assert_array_equal(drawn.pixels, photo.pixels - 51)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (33, 17), (150, 97), (160, 160)])
def test_native_size_draws_every_pixel_of_any_photo(negative: Translator, size: tuple[int, int]) -> None:
    photo = noise(*size, 3)
    np.testing.assert_array_equal(negative.convert(Photo(photo, "RGB"), size="native").pixels, 255 - photo)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("size", [(700, 333), (90, 1203)])
def test_tiles_draw_every_pixel_once(negative: Translator, size: tuple[int, int]) -> None:
    photo = noise(*size, 3, dtype=np.uint16)
    np.testing.assert_array_equal(negative.convert(Photo(photo, "RGB"), size="native").pixels, 65535 - photo)


@SIZES
def test_everything_but_the_pixels_is_carried_over(negative: Translator, size: translator.Size) -> None:
    jpeg = JpegSettings(tables=(tuple(range(1, 65)),), subsampling=1)
    photo = Photo(noise(40, 60, 3), "RGB", noise(40, 60), b"icc", b"exif", b"xmp", (300, 600), "TIFF", jpeg, True)
    translated = negative.convert(photo, size=size)
    assert translated.alpha is photo.alpha
    assert replace(translated, pixels=photo.pixels).__dict__ == photo.__dict__


@SIZES
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_photo_of_any_depth_becomes_a_colour_photo_of_that_depth(
    folder: Path, size: translator.Size, dtype: type
) -> None:
    tinted = Translator(matrix_translator(folder / "tinted.onnx", IDENTITY, (0.4, 0, -0.4)), threads=1)
    top = np.iinfo(dtype).max
    pixels = tinted.convert(Photo(np.full((40, 60), top // 2, dtype), "L"), size=size).pixels
    assert (pixels.shape, pixels.dtype) == ((40, 60, 3), np.dtype(dtype))
    np.testing.assert_allclose(pixels[20, 30], top // 2 + 0.2 * top * np.array([1, 0, -1]), atol=0.01)


@SIZES
def test_photo_in_jpegs_own_space_is_understood(negative: Translator, size: translator.Size) -> None:
    image = Image.new("YCbCr", (40, 30), (90, 110, 160))
    translated = negative.convert(Photo(np.asarray(image), "YCbCr"), size=size)
    expected = 255 - np.array(image.convert("RGB").getpixel((0, 0)))
    assert np.abs(translated.pixels[10, 10] - expected).max() <= 1


def test_image_keeps_its_alpha(negative: Translator) -> None:
    assert negative(Image.new("RGB", (9, 9), (0, 0, 0))).getpixel((4, 4)) == (255, 255, 255)
    assert negative(Image.new("RGBA", (9, 9), (0, 0, 0, 7))).getpixel((4, 4)) == (255, 255, 255, 7)


class Recorder:
    """A runtime that changes nothing and notes what it is given."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, *arrays: np.ndarray) -> np.ndarray:
        return self.run_all(*arrays)[0]

    def run_all(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self.shapes.append(arrays[0].shape)
        return (arrays[0],)


@pytest.mark.parametrize(
    ("size", "seen"),
    [("card", (48, 80)), (64, (48, 80)), (200, (160, 256)), ("native", (304, 496))],
)
def test_network_sees_the_size_that_is_asked_for(folder: Path, size: translator.Size, seen: tuple[int, int]) -> None:
    runtime = Recorder()
    path = matrix_translator(folder / "seen.onnx", IDENTITY)
    Translator(path, runtime=runtime).convert(Photo(noise(300, 490, 3), "RGB"), size=size)
    assert runtime.shapes[-1] == (1, 3, *seen)


@pytest.mark.parametrize("size", [0, -1, 2049, 2.5, "nativ", "256", None])
def test_size_that_is_none_is_refused(negative: Translator, size: translator.Size) -> None:
    with pytest.raises(UsageError, match=f"size {size}: give card, 1 to 2048, or native"):
        negative(Image.new("RGB", (30, 30)), size=size)


@pytest.fixture
def scene() -> Photo:
    """16 bit, so that less than half a grey level of 255 is seen; sides multiples of 16."""
    coarse = Image.fromarray(noise(20, 30, 3)).resize((720, 480), Image.Resampling.BICUBIC)
    return Photo(np.asarray(coarse).astype(np.uint16) * 256 + noise(480, 720, 3), "RGB")


def difference(one: Photo, other: Photo) -> float:
    """The largest, in grey levels of 255."""
    return float(np.abs(one.pixels.astype(float) - other.pixels).max()) / 257


def whole_and_statistics(model: Translator, scene: Photo) -> tuple[Photo, np.ndarray]:
    drawn, statistics = model._translate(translator.as_input(scene.pixels))
    return replace(scene, pixels=translator._as_pixels(drawn, np.uint16)), statistics


@pytest.mark.usefixtures("small_tiles")
def test_tiles_with_the_whole_pictures_statistics_equal_the_whole(
    normed: Translator, scene: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, statistics = whole_and_statistics(normed, scene)
    monkeypatch.setattr(normed, "_statistics", lambda pixels: (statistics,))
    assert difference(normed.convert(scene, size="native"), whole) <= 0.5
    monkeypatch.setattr(normed, "_statistics", lambda pixels: ())  # each tile its own
    assert difference(normed.convert(scene, size="native"), whole) > 5
    monkeypatch.setattr(normed, "_statistics", lambda pixels: (statistics,))
    monkeypatch.setattr(tiling, "SMALLEST_HALO", 0)
    monkeypatch.setattr(normed._model, "card", replace(normed.card, halo=0))
    assert difference(normed.convert(scene, size="native"), whole) > 5


def any_statistics(model: Translator) -> np.ndarray:
    """(1, 2, T): means around 0, variances around 1."""
    rng = np.random.default_rng(3)
    size = model.card.outputs[1].shape[2]
    assert isinstance(size, int)
    return np.stack([rng.normal(0, 0.3, (1, size)), rng.uniform(0.2, 2, (1, size))], axis=1).astype(np.float32)


@pytest.mark.usefixtures("small_tiles")
def test_any_statistics_give_one_picture_however_it_is_cut(
    normed: Translator, scene: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normed, "_statistics", lambda pixels: (any_statistics(normed),))
    cuts = []
    for side in (320, 400, 512):
        monkeypatch.setattr(tiling, "TILE_SIDE", side)
        cuts.append(normed.convert(scene, size="native"))
    assert difference(cuts[0], cuts[1]) <= 0.5
    assert difference(cuts[0], cuts[2]) <= 0.5


def test_neighbouring_tiles_agree_in_their_overlap(normed: Translator, scene: Photo) -> None:
    frozen, halo = any_statistics(normed), 16
    image = translator.as_input(scene.pixels)
    (left, _), (right, _) = (normed._translate(image[:, columns], frozen) for columns in (np.s_[:320], np.s_[160:480]))
    overlap = np.abs(left[:, 160:] - right[:, :160])
    assert overlap[:, halo:-halo].max() <= HALF_A_LEVEL
    assert overlap.max() > HALF_A_LEVEL


@pytest.mark.usefixtures("small_tiles")
def test_statistics_of_a_large_photo_are_those_of_its_shrunken_copy(normed: Translator) -> None:
    smooth = Image.fromarray(noise(6, 9, 3)).resize((900, 600), Image.Resampling.BICUBIC)
    large = Photo(np.asarray(smooth), "RGB")
    (measured,) = normed._statistics(large.pixels)
    _, expected = whole_and_statistics(normed, Photo(np.asarray(smooth.resize((384, 256))), "RGB"))
    assert measured.shape == expected.shape
    np.testing.assert_allclose(measured, expected, atol=0.03)


def test_there_and_back_lie_side_by_side(negative: Translator) -> None:
    photo = Photo(noise(30, 40), "L", alpha=noise(30, 40, seed=1), icc=b"icc")
    cycle = there_and_back(photo, negative.convert, negative.convert)
    grey = np.repeat(photo.pixels[..., None], 3, axis=2)
    assert (cycle.height, cycle.width, cycle.space, cycle.icc) == (30, 120, "RGB", b"icc")
    np.testing.assert_array_equal(cycle.pixels[:, :40], grey)
    np.testing.assert_array_equal(cycle.pixels[:, 40:80], negative.convert(photo).pixels)
    out = Photo(cycle.pixels[:, 40:80], "RGB")
    np.testing.assert_array_equal(cycle.pixels[:, 80:], negative.convert(out).pixels)
    assert photo.alpha is not None
    np.testing.assert_array_equal(cycle.alpha, np.tile(photo.alpha, (1, 3)))


def test_model_back_lies_beside_the_model(tmp_path: Path) -> None:
    path = matrix_translator(tmp_path / "a2b.onnx", NEGATIVE, reverse="b2a")
    with pytest.raises(ModelError, match=r"b2a\.onnx: not there, and a2b\.onnx needs it to go back"):
        Translator(path).reverse()
    matrix_translator(tmp_path / "b2a.onnx", RED_TO_BLUE, reverse="a2b")
    assert Translator(path).reverse().card.name == "b2a"


def test_model_back_may_be_one_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "checkpoints"
    shelf.mkdir()
    matrix_translator(shelf / "b2a.onnx", IDENTITY)
    monkeypatch.setattr("img2img.model_file.lookup.checkpoints", lambda: shelf)
    path = matrix_translator(tmp_path / "mine.onnx", NEGATIVE, reverse="b2a")
    assert Translator(path).reverse().card.name == "b2a"


def test_model_without_a_way_back_says_so(negative: Translator) -> None:
    with pytest.raises(ModelError, match=r"negative\.onnx: its card names no model that goes back"):
        negative.reverse()


def test_model_for_another_task_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "colorizer.onnx", tiny_model(0, 0))
    with pytest.raises(ModelError, match=r"colorizer\.onnx: .*'colorize'.*translating needs one for 'translate'"):
        Translator(path)


@pytest.mark.parametrize(
    "graph", [conv_graph(np.zeros((2, 3, 1, 1)), (0, 0), channels=2), conv_graph(np.full((3, 3, 1, 1), np.nan))]
)
def test_model_that_gives_no_picture_is_refused_when_it_is_loaded(tmp_path: Path, graph: bytes) -> None:
    with pytest.raises(ModelError, match=r"odd\.onnx: gives no picture"):
        Translator(write_translator(tmp_path / "odd.onnx", graph))


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_empty_image_is_refused(negative: Translator, size: tuple[int, int]) -> None:
    with pytest.raises(UnreadablePhoto, match=f"{size[0]} x {size[1]} pixels"):
        negative(Image.new("RGB", size))


def test_threads_may_share_one_translator(normed: Translator) -> None:
    photos = [Photo(noise(60 + i, 80, 3, seed=i), "RGB") for i in range(12)]
    alone = [normed.convert(photo).pixels for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(normed.convert, photos))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other.pixels)


def test_translating_imports_no_torch(folder: Path) -> None:
    path = matrix_translator(folder / "light.onnx", NEGATIVE, reverse="light")
    code = (
        "import sys; from PIL import Image; from img2img import load\n"
        f"model = load({str(path)!r})\n"
        "image = model.reverse()(model(Image.new('RGB', (40, 30)), size='native'))\n"
        "print(image.size, sorted({'torch', 'onnx', 'kornia', 'tifffile', 'png'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(40, 30) []\n", "")


FEW_TILES = """
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
run_all, ran = OnnxRuntime.run_all, []

def run_some(self, image, *frozen):
    if len(ran) < 12 or image.shape not in ran:
        ran.append(image.shape)
        return run_all(self, image, *frozen)
    return image.copy(), *frozen

OnnxRuntime.run_all = run_some
"""
"""The network draws a dozen tiles, and each size of them once; the rest come back as they are, arrays of their own."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it tells a process's own peak; ru_maxrss begins at the parent's")
def test_40_megapixels_take_at_most_one_and_a_half_gib(tmp_path: Path) -> None:
    """With a model that ships, as a real process from file to file."""
    model = CHECKOUT / "checkpoints" / "horse2zebra.onnx"
    photo = tmp_path / "large.jpg"
    Image.fromarray(noise(55, 73, 3)).resize((7300, 5500), Image.Resampling.BICUBIC).save(photo)
    code = (
        f"{FEW_TILES}\n"
        "import sys; from pathlib import Path; from img2img.cli.app import main\n"
        f"sys.argv = ['img2img', 'translate', {str(photo)!r}, '--model', {str(model)!r}, '--size', 'native']\n"
        "try: main()\n"
        "finally: print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "large.horse2zebra.jpg") as image:
        assert image.size == (7300, 5500)
    assert int(done.stdout.split()[-1]) <= 1.5 * 1024**2


@pytest.mark.parametrize("shape", [(24, 40), (24, 40, 3)])
def test_native_size_gives_16_bits_that_every_format_takes(negative: Translator, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 65536, shape, np.uint16)
    translated = negative.convert(Photo(values, "L" if len(shape) == 2 else "RGB"), size="native")
    for image_format in ("PNG", "TIFF", "JPEG", "WEBP"):
        stream = io.BytesIO()
        write_photo(translated, stream, format=image_format)
        if image_format in ("PNG", "TIFF"):
            stream.seek(0)
            np.testing.assert_array_equal(read_photo(stream).pixels, translated.pixels)
