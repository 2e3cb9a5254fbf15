"""Stochastic depth of the colorizer's encoder: what is left out, how often, and when nothing is."""

import pytest
import torch
from tiny_recipe import batch, losses, tiny_recipe
from torch import Tensor, nn

from img2img.data.sample_order import sample_keys
from img2img.errors import SettingError
from img2img.networks.imagenet.encoder import EfficientNetLite, InvertedResidual
from img2img.recipes.colorizer import ColorizerRecipe

MANY = 4000


def blocks(encoder: EfficientNetLite) -> list[InvertedResidual]:
    return [module for module in encoder.modules() if isinstance(module, InvertedResidual)]


def kept_of(*settings: str) -> Tensor | None:
    made = tiny_recipe("colorizer", *settings)
    assert isinstance(made, ColorizerRecipe)
    return made._kept(sample_keys(1, range(MANY)))


def test_block_that_is_left_out_passes_on_what_came() -> None:
    encoder = EfficientNetLite(1).eval()
    assert encoder.depth == len(blocks(encoder))
    residual = next(index for index, block in enumerate(blocks(encoder)) if block.residual)
    pictures = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    kept = torch.ones(2, encoder.depth)
    whole = encoder.pyramid(pictures)
    for level, same in zip(whole, encoder.pyramid(pictures, kept), strict=True):
        torch.testing.assert_close(level, same)
    kept[1, residual] = 0
    without = encoder.pyramid(pictures, kept)
    *_, projected = (module for module in blocks(encoder)[residual].modules() if isinstance(module, nn.BatchNorm2d))
    nn.init.zeros_(projected.weight)
    nn.init.zeros_(projected.bias)
    silenced = encoder.pyramid(pictures)
    for level, of_whole, of_silenced in zip(without, whole, silenced, strict=True):
        torch.testing.assert_close(level[0], of_whole[0])
        torch.testing.assert_close(level[1], of_silenced[1])


def test_the_deeper_the_oftener_and_the_mean_stays() -> None:
    kept = kept_of("stochastic_depth=0.4")
    assert kept is not None
    dropped = (kept == 0).float().mean(0)
    torch.testing.assert_close(dropped, torch.linspace(0, 0.4, kept.shape[1]), rtol=0, atol=0.03)
    torch.testing.assert_close(kept.mean(0), torch.ones(kept.shape[1]), rtol=0, atol=0.05)
    again = kept_of("stochastic_depth=0.4")
    assert again is not None
    assert torch.equal(kept, again)


def test_it_is_off_by_default_and_changes_the_loss_where_it_is_on() -> None:
    assert kept_of() is None
    without, made = tiny_recipe("colorizer"), tiny_recipe("colorizer", "stochastic_depth=0.9")
    made.load_state_dict(without.state_dict())
    pictures = batch(made, 4)
    assert losses(without, pictures)["generator"] != losses(made, pictures)["generator"]


@pytest.mark.parametrize("value", ["1", "-0.1", "nan"])
def test_probability_is_below_1(value: str) -> None:
    with pytest.raises(SettingError, match=r"stochastic_depth=.*: must be from 0 to below 1"):
        tiny_recipe("colorizer", f"stochastic_depth={value}")
