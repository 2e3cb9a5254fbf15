"""What the page shows is what will be downloaded, only smaller; and no more of it is kept than fits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image
from tiny_translator import NEGATIVE, matrix_translator

from img2img.batch.task import Colorizing, Translating
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.errors import ModelError, UsageError
from img2img.inference.colorizer import Colorizer
from img2img.photo import Photo, read_photo
from img2img.serving.opened import OpenedModels
from img2img.serving.previews import Preview, PreviewShelf, make_preview, shown_jpeg, small_copy
from img2img.serving.problem import Refusal
from img2img.steering.hints import Coordinate


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("strength", [0.0, 0.7, 1.0, 2.5])
def test_a_preview_is_the_result_itself_where_it_needs_no_shrinking(
    tmp_path: Path, draw_photo: DrawPhoto, tiny_model: Path, mode: str, strength: float
) -> None:
    path = draw_photo(tmp_path / "p.png", (90, 60), mode)
    options = ColorizeOptions(model=str(tiny_model), max_pixels=10_000)
    preview = make_preview(path, options, OpenedModels(1))
    result = Colorizer(tiny_model).convert(read_photo(path), strength=strength)
    assert preview.coloured(Colorizing(strength=strength)) == shown_jpeg(result)


@pytest.mark.parametrize(
    "asked",
    [
        {"warmth": -1},
        {"palette": "#283ca0", "influence": 0.5},
        {"hint": ["20%,30%=#2040c0", "70,50=#808080"], "strength": 0.7},
        {"hint": "50%,50%=#3a6b35", "warmth": 0.5},
    ],
)
def test_a_steered_preview_is_the_result_itself_too(
    tmp_path: Path, draw_photo: DrawPhoto, steered_model: Path, asked: dict[str, Any]
) -> None:
    path = draw_photo(tmp_path / "p.png", (90, 60))
    options = ColorizeOptions(model=str(steered_model), max_pixels=10_000, **asked)
    preview = make_preview(path, options, OpenedModels(1))
    result = options.task().open(1).convert(read_photo(path))
    assert preview.coloured(options.task()) == shown_jpeg(result)
    assert preview.coloured(options.task()) != preview.coloured(Colorizing(strength=options.strength))


def test_a_model_that_cannot_be_steered_is_told_by_its_name(
    tmp_path: Path, draw_photo: DrawPhoto, tiny_model: Path
) -> None:
    options = ColorizeOptions(model=str(tiny_model), max_pixels=10_000)
    preview = make_preview(draw_photo(tmp_path / "p.png"), options, OpenedModels(1))
    colors = preview.colors
    assert colors
    for ask in (
        lambda: preview.coloured(ColorizeOptions(warmth=1).task()),
        lambda: colors.suggestions(Coordinate(50, True), Coordinate(50, True), Colorizing()),
    ):
        with pytest.raises(UsageError, match=r"^--model tiny cannot be steered") as raised:
            ask()
        assert str(tmp_path) not in str(raised.value)


def test_what_is_kept_of_a_preview_is_counted(tmp_path: Path, draw_photo: DrawPhoto, steered_model: Path) -> None:
    options = ColorizeOptions(model=str(steered_model), max_pixels=10_000)
    preview = make_preview(draw_photo(tmp_path / "p.png"), options, OpenedModels(1))
    assert preview.colors
    h, w = preview.colors.luma.small.shape
    pictures = preview.small.pixels.nbytes + preview.card.pixels.nbytes + len(preview.before)
    assert preview.nbytes == pictures + h * w * (1 + 2 * 4)


def test_the_network_is_not_asked_again_for_another_strength(
    tmp_path: Path, draw_photo: DrawPhoto, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ColorizeOptions(model=str(tiny_model), max_pixels=10_000)
    preview = make_preview(draw_photo(tmp_path / "p.png"), options, OpenedModels(1))
    for name in ("predicted", "predicted_with_logits"):
        monkeypatch.setattr(Colorizer, name, None)
    assert preview.coloured(Colorizing(strength=0.5)) != preview.coloured(Colorizing(strength=1.5))


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


def test_a_critic_that_is_not_there_is_looked_for_once_unless_a_score_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    find = Translating.open_scorer

    def noted(task: Translating, *given: Any) -> Any:
        looked.append(task.score)
        return find(task, *given)

    monkeypatch.setattr(Translating, "open_scorer", noted)
    model, models = str(matrix_translator(tmp_path / "negative.onnx", NEGATIVE)), OpenedModels(1)
    for _ in range(3):
        assert models.translator(Translating(model))[1] is None
    assert looked == [False]
    for _ in range(2):
        with pytest.raises(ModelError, match="its card names no critic"):
            models.translator(Translating(model, score=True))
