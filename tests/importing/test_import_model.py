"""A checkpoint becomes a model file that draws what its authors' network draws, at any size, in tiles or not."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import peer_checkpoints as peer
import pytest
import torch
from noise import noise
from PIL import Image
from torch import Tensor

from img2img.errors import ExportError, ModelError, SettingError
from img2img.export.parity import Parity
from img2img.importing import import_model as importing
from img2img.importing.checkpoint import read_checkpoint
from img2img.importing.import_model import import_model, likely_result
from img2img.importing.recognise import recognised
from img2img.inference import tiling, translator
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.torch_runtime import load_network
from img2img.inference.translator import Translator
from img2img.model_file import read_model
from img2img.photo import Photo

NAMES = ("resnet", "unet", "running")
CUT: dict[str, Any] = {"down": "blurred", "up": "bilinear"}


class Forward(Protocol):
    def __call__(self, tensors: peer.Tensors, x: Tensor) -> Tensor: ...


class Peer:
    """A checkpoint, the model file that it became, and what its authors' network computes."""

    def __init__(self, folder: Path, name: str, tensors: peer.Tensors, forward: Forward, **options: Any) -> None:
        self._tensors, self._forward = tensors, forward
        checkpoint = peer.saved(tensors, folder / f"{name}_net_G.pth", legacy=name == "unet")
        self.imported = import_model(checkpoint, folder / f"{name}.onnx", **options)
        self.model = Translator(self.imported.file, threads=1)

    def expected(self, image: np.ndarray) -> np.ndarray:
        """(h, w, 3) in [-1, 1] of the same."""
        x = torch.from_numpy(np.moveaxis(image, 2, 0)[None].copy())
        with torch.no_grad():
            return np.moveaxis(self._forward(self._tensors, x).numpy()[0], 0, 2)


@pytest.fixture(scope="module")
def peer_named(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Peer]:
    """Made when it is first asked for: an export takes most of a test's time."""
    folder = tmp_path_factory.mktemp("peers")
    return cache(partial(_made, folder))


def _made(folder: Path, name: str) -> Peer:
    about = {"licence": "CC BY 4.0", "source": "trained by me in 2019", "native_size": 96, "result": "picture"}
    cut, unet = partial(peer.resnet_forward, **CUT), partial(peer.unet_forward, levels=5)
    running = partial(peer.resnet_forward, blocks=1, running=True)
    if name == "resnet":
        return Peer(folder, name, peer.resnet(**CUT), cut, **about)
    if name == "unet":
        return Peer(folder, name, peer.unet(5), unet)
    return Peer(folder, name, peer.resnet(1, "batch"), running, norm="running")


@pytest.fixture(params=[NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def one(request: pytest.FixtureRequest, peer_named: Callable[[str], Peer]) -> Peer:
    return peer_named(request.param)


@pytest.fixture
def peers(peer_named: Callable[[str], Peer]) -> dict[str, Peer]:
    return {name: peer_named(name) for name in NAMES}


def scene(height: int, width: int) -> Photo:
    smooth = Image.fromarray(noise(6, 9, 3)).resize((width, height), Image.Resampling.BICUBIC)
    return Photo(np.asarray(smooth), "RGB")


def difference(one: Photo, other: Photo) -> float:
    return float(np.abs(one.pixels.astype(float) - other.pixels).max())


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 32)])
def test_graph_draws_what_the_authors_network_draws(one: Peer, size: tuple[int, int]) -> None:
    image = translator.as_input(scene(*size).pixels)
    drawn = OnnxRuntime(read_model(one.imported.file)[0]).run(np.moveaxis(image, 2, 0)[None].copy())
    expected = one.expected(image)
    assert expected.std() > 0.1
    np.testing.assert_allclose(np.moveaxis(drawn[0], 0, 2), expected, atol=1e-4)


def test_photo_of_odd_size_is_drawn_whole(one: Peer) -> None:
    photo = scene(75, 101)
    multiple = one.model._multiple
    sides = [(0, -length % multiple) for length in (75, 101)]
    mirrored = np.pad(photo.pixels, (*sides, (0, 0)), mode="reflect")
    expected = one.expected(translator.as_input(mirrored))[:75, :101]
    drawn = one.model.convert(photo, size="native").pixels
    np.testing.assert_allclose(drawn, (expected + 1) * 127.5, atol=0.6)


def test_photo_at_the_cards_size_keeps_its_own(one: Peer) -> None:
    assert one.model.convert(scene(75, 101)).pixels.shape == (75, 101, 3)


@pytest.mark.slow
def test_tiles_draw_what_the_whole_picture_shows(one: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = scene(451, 637)
    whole = one.model.convert(photo, size="native")
    rows, columns = (translator._padded(length, one.model._multiple) for length in (451, 637))
    _, *statistics = one.model._translate(translator.as_input(photo.pixels[np.ix_(rows, columns)]))
    monkeypatch.setattr(one.model, "_statistics", lambda pixels: statistics)
    monkeypatch.setattr(translator, "WHOLE_PIXELS", 10_000)
    monkeypatch.setattr(tiling, "TILE_SIDE", 320)
    monkeypatch.setattr(tiling, "SMALLEST_CORE", 64)
    cut = list(tiling.tiles(len(rows), len(columns), halo=one.model.card.halo, multiple=one.model._multiple))
    assert len(cut) >= 6
    assert difference(one.model.convert(photo, size="native"), whole) <= 1


@pytest.mark.slow
def test_card_says_what_was_told_and_what_is_unknown(peers: dict[str, Peer]) -> None:
    told, untold = (peers[name].model.card for name in ("resnet", "unet"))
    assert (told.task, told.recipe, told.licence, told.data) == (
        "translate",
        "imported",
        "CC BY 4.0",
        "trained by me in 2019",
    )
    assert (untold.licence, untold.data) == ("unknown", "unknown")
    assert (told.native_size, untold.native_size) == (96, 256)
    assert (told.size_multiple, untold.size_multiple) == (4, 32)
    assert told.settings["up"] == "bilinear"
    assert untold.settings == {"architecture": "unet", "channels": 2, "levels": 5, "norm": "batch"}


@pytest.mark.slow
def test_card_says_what_was_assumed(peers: dict[str, Peer]) -> None:
    notes = {name: one.model.card.notes for name, one in peers.items()}
    assert notes["resnet"].startswith("Imported from resnet_net_G.pth (sha256 ")
    assert "a ResNet with 2 blocks, 4 channels and instance norms." in notes["resnet"]
    assert "batch norms" not in notes["resnet"]
    assert "Its batch norms take each picture's own statistics" in notes["unet"]
    assert "Dropout, where it was trained with it, is off." in notes["unet"]
    assert "values in [-1, 1], trained at 256 px" in notes["unet"]
    assert "take the running statistics of the training" in notes["running"]


@pytest.mark.slow
def test_statistics_can_be_given_where_norms_take_the_pictures_own(peers: dict[str, Peer]) -> None:
    outputs = {name: len(one.model.card.outputs) for name, one in peers.items()}
    assert outputs == {"resnet": 2, "unet": 2, "running": 1}


@pytest.mark.parametrize(
    ("tensors", "result"),
    [
        pytest.param(peer.resnet(1), "change", id="cycle_gan"),
        pytest.param(peer.resnet(1, **CUT), "change", id="CUT"),
        pytest.param(peer.resnet(1, "none"), "change", id="ResNet without norms"),
        pytest.param(peer.unet(5), "picture", id="pix2pix"),
        pytest.param(peer.unet(5, "instance"), "picture", id="U-Net with instance norms"),
        pytest.param(peer.resnet(1, "batch"), "picture", id="pix2pix with a ResNet"),
        pytest.param(peer.resnet(1, ends=(1, 3)), "picture", id="grey to colour"),
        pytest.param(peer.resnet(1, ends=(1, 1)), "change", id="grey to grey"),
    ],
)
def test_result_is_what_the_make_is_most_likely_for(tmp_path: Path, tensors: peer.Tensors, result: str) -> None:
    path = peer.saved(tensors, tmp_path / "net_G.pth")
    assert likely_result(recognised(read_checkpoint(path), path)) == result


@pytest.mark.slow
def test_result_that_was_told_is_not_called_assumed(peers: dict[str, Peer]) -> None:
    results = {name: (one.model.card.result, "--result" in one.model.card.notes) for name, one in peers.items()}
    assert results == {"resnet": ("picture", False), "unet": ("picture", True), "running": ("picture", True)}
    assert "A result is the picture that it draws" in peers["unet"].model.card.notes


def test_parity_was_measured(one: Peer) -> None:
    assert len(one.imported.parity) >= 3
    assert all(parity.difference <= 0.05 for parity in one.imported.parity)


def test_no_weights_lie_beside_and_pytorch_says_so(one: Peer) -> None:
    weights = one.imported.file.with_suffix(".safetensors")
    assert not weights.exists()
    with pytest.raises(ModelError, match="imported models have no such file: on a GPU they need onnxruntime-gpu"):
        load_network(weights, one.model.card)


def test_running_statistics_of_what_has_none_are_refused(tmp_path: Path) -> None:
    checkpoint = peer.saved(peer.resnet(), tmp_path / "net_G.pth")
    with pytest.raises(SettingError, match=r"--norm running: .*net_G.pth has no batch norms; leave it out"):
        import_model(checkpoint, tmp_path / "net.onnx", norm="running")


def test_running_statistics_that_are_none_are_refused(tmp_path: Path) -> None:
    tensors = peer.resnet(norm="batch")
    tensors["model.2.running_var"] = -tensors["model.2.running_var"]
    checkpoint = peer.saved(tensors, tmp_path / "net_G.pth")
    with pytest.raises(ModelError, match="its running statistics are no statistics"):
        import_model(checkpoint, tmp_path / "net.onnx", norm="running")


def test_model_file_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"net.pt: a model file ends in .onnx"):
        import_model(tmp_path / "none.pth", tmp_path / "net.pt")


def test_graph_that_drifts_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = peer.resnet(1, channels=2)
    drift = [
        Parity("net", ((1, 3, 64, side),), difference, "grey levels") for side, difference in ((64, 0), (96, 0.06))
    ]
    monkeypatch.setattr(importing, "graph_of", lambda *_: b"")
    monkeypatch.setattr(importing, "measure_graph", lambda *_, **__: drift)
    with pytest.raises(
        ExportError, match=r"drifts from PyTorch by 0.06 grey levels, more than 0.05 .net at 1 x 3 x 64 x 96"
    ):
        import_model(peer.saved(tensors, tmp_path / "net_G.pth"), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
