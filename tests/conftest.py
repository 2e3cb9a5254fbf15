"""What several test files share: a model file, and photos drawn by code."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_model as tiny
from PIL import Image

DrawPhoto = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that colours everything orange (a = 22, b = 44)."""
    return tiny.write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny.tiny_model(0.2, 0.4))


@pytest.fixture
def draw_photo() -> DrawPhoto:
    """`draw_photo(path, size=(48, 32), mode="L")` saves a grey ramp there and returns the path."""

    def draw(path: Path, size: tuple[int, int] = (48, 32), mode: str = "L") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize(size).convert(mode).save(path)
        return path

    return draw
