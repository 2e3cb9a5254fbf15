"""Feature networks: what they take, what they give, and that they disturb nobody."""

from pathlib import Path

import pytest
import torch
from torch import nn

from img2img.errors import ModelError, UsageError
from img2img.evaluation.sets.feature_network import LITE0_SCALE, PooledFeatures, feature_network


@pytest.fixture(scope="module")
def lite0() -> PooledFeatures:
    return feature_network()


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """A file as torchvision publishes it, with weights drawn at random, and the network that has them."""
    from torchvision.models import Inception3  # takes seconds to import

    torch.manual_seed(0)
    network = Inception3(init_weights=False, transform_input=True).eval()
    file = tmp_path_factory.mktemp("inception") / "inception.pth"
    torch.save(network.state_dict(), file)
    return file, network


def pictures(count: int, side: int) -> torch.Tensor:
    drawn = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(1)).float()
    return nn.functional.interpolate(drawn, size=(side, side), mode="bilinear").round().to(torch.uint8)


def test_lite0_gives_320_features_of_a_known_scale(lite0: PooledFeatures) -> None:
    found = lite0(pictures(2, 256))
    assert found.shape == (2, 320)
    assert 0.01 < found.square().mean() < 1


def test_lite0_in_onnx_runtime_computes_what_it_does_in_pytorch(lite0: PooledFeatures) -> None:
    some = pictures(3, 224).float() / 127.5 - 1
    encoder = lite0.maps.encoder
    for norm in encoder.modules():
        assert not norm.training
    with torch.no_grad():
        expected = encoder(some)[0].mean((2, 3)) / LITE0_SCALE
    assert torch.allclose(lite0(some), expected, atol=1e-5)
    assert expected.std() > 0.1


def test_pictures_of_bytes_and_of_floats_have_the_same_features(lite0: PooledFeatures) -> None:
    some = pictures(2, 224)
    assert torch.equal(lite0(some), lite0(some.float() / 127.5 - 1))


class Contrast(nn.Conv2d):
    """How far values are from 0."""

    def __init__(self) -> None:
        super().__init__(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs()


def test_fine_texture_is_averaged_when_a_picture_is_shrunk_not_sampled() -> None:
    board = 255 * (torch.arange(99)[:, None] + torch.arange(99)) % 510
    seen = PooledFeatures(Contrast(), side=33, name="contrast")(board.to(torch.uint8).expand(1, 3, 99, 99))
    assert seen.max() < 0.15  # every third pixel alone would have a contrast of 1


def test_making_a_network_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()
    feature_network()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_inception_sees_what_torchvisions_own_preprocessing_gives_it(inception: tuple[Path, nn.Module]) -> None:
    file, network = inception
    some = pictures(2, 299)
    means, deviations = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (some / 255 - means.view(3, 1, 1)) / deviations.view(3, 1, 1)  # as the published weights ask for
    kept = []
    network.Mixed_6e.register_forward_hook(lambda *words: kept.append(words[2].mean((2, 3))))
    with torch.no_grad():
        network(normalised)
    found = feature_network("inception", file)(some)
    assert found.shape == (2, 768)
    assert torch.allclose(found, kept[0], rtol=1e-3, atol=1e-5)


def test_inception_asks_for_its_weights_and_says_where_they_are() -> None:
    with pytest.raises(UsageError, match=r"--weights FILE: fetch https://.*inception_v3"):
        feature_network("inception")


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name in ("other.pth", "text.pth"):
        with pytest.raises(ModelError, match=f"{name}: not torchvision's Inception v3; fetch https://"):
            feature_network("inception", tmp_path / name)
    with pytest.raises(ModelError, match=r"nowhere\.pth: no such file"):
        feature_network("inception", tmp_path / "nowhere.pth")


def test_unknown_network_and_weights_without_need_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are: lite0, inception"):
        feature_network("vgg")
    with pytest.raises(UsageError, match="lite0 takes no --weights"):
        feature_network("lite0", tmp_path / "weights.pth")
