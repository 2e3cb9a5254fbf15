"""The sizes at which a graph is compared with PyTorch."""

import pytest
import torch
from torch import Tensor, nn

from img2img.export.parity import measure_graph
from img2img.importing.unet_layout import LEVELS
from img2img.model_file import TensorSpec

MULTIPLES = [1, 4, 32, *(2**levels for levels in LEVELS)]


class Nothing:
    """A graph that gives what it takes."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def run(self, picture: Tensor) -> Tensor:
        return picture


@pytest.mark.parametrize("multiple", MULTIPLES)
def test_a_square_a_flat_and_a_tall_picture_are_compared_whatever_their_sides_are_multiples_of(
    multiple: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("img2img.export.parity.OnnxRuntime", Nothing)
    monkeypatch.setattr(
        "img2img.export.parity.random_input", lambda _, sizes, __: torch.zeros(1, sizes["H"], sizes["W"])
    )
    takes = [TensorSpec("image", ("N", 3, "H", "W"), "RGB", (-1.0, 1.0))]
    parity = measure_graph("net", nn.Identity(), b"", takes, 1.0, "grey levels", multiple=multiple)
    sizes = [one.shapes[0][1:] for one in parity]
    assert all(side % multiple == 0 for size in sizes for side in size)
    assert len(set(sizes)) == len(sizes) >= 3
    assert {(height > width) - (height < width) for height, width in sizes} == {-1, 0, 1}
