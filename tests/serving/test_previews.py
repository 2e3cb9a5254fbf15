"""What the page shows is what will be downloaded, only smaller; and no more of it is kept than fits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image

from img2img.conversion.colorize_options import ColorizeOptions
from img2img.inference.colorizer import Colorizer
from img2img.photo import Photo, read_photo
from img2img.serving.opened import OpenedModels
from img2img.serving.previews import Preview, PreviewShelf, make_preview, shown_jpeg, small_copy
from img2img.serving.problem import Refusal


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("strength", [0.0, 0.7, 1.0, 2.5])
def test_a_preview_is_the_result_itself_where_it_needs_no_shrinking(
    tmp_path: Path, draw_photo: DrawPhoto, tiny_model: Path, mode: str, strength: float
) -> None:
    path = draw_photo(tmp_path / "p.png", (90, 60), mode)
    options = ColorizeOptions(model=str(tiny_model), max_pixels=10_000)
    preview = make_preview(path, options, OpenedModels(1))
    result = Colorizer(tiny_model).convert(read_photo(path), strength=strength)
    assert preview.coloured(strength) == shown_jpeg(result)


def test_the_network_is_not_asked_again_for_another_strength(
    tmp_path: Path, draw_photo: DrawPhoto, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ColorizeOptions(model=str(tiny_model), max_pixels=10_000)
    preview = make_preview(draw_photo(tmp_path / "p.png"), options, OpenedModels(1))
    monkeypatch.setattr(Colorizer, "_predict", None)
    assert preview.coloured(0.5) != preview.coloured(1.5)


def test_a_preview_has_at_most_so_many_pixels_a_side_and_keeps_alpha() -> None:
    pixels = np.zeros((300, 3000, 3), np.uint16)
    small = small_copy(Photo(pixels, "RGB", alpha=np.full((300, 3000), 65535, np.uint16)), 1000)
    assert small.pixels.shape == (100, 1000, 3)
    assert small.pixels.dtype == np.uint8
    assert small.alpha is not None
    assert small.alpha.min() == 255


def test_only_the_newest_previews_are_kept() -> None:
    photo = Photo(np.zeros((100, 100), np.uint8), "L")
    shelf = PreviewShelf(most_bytes=50_000)
    names = [shelf.put(Preview(photo, photo, 100, 100, True, b"")) for _ in range(2)]
    shelf.get(names[0])  # looked at, so that the other one is the oldest
    third = shelf.put(Preview(photo, photo, 100, 100, True, b""))
    assert shelf.get(names[0])
    assert shelf.get(third)
    with pytest.raises(Refusal, match="send the photo again"):
        shelf.get(names[1])
    assert len(set(names)) == 2
    assert min(map(len, names)) >= 20


def test_what_browsers_show_holds_no_metadata(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    photo = replace(read_photo(draw_photo(tmp_path / "p.png")), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    (tmp_path / "shown.jpg").write_bytes(shown_jpeg(photo))
    with Image.open(tmp_path / "shown.jpg") as image:
        assert not image.getexif()
