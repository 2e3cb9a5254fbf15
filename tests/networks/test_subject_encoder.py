"""Where the subject of a picture is: what it looks at, and the surroundings that it leaves."""

import pytest
import torch
from torch import Tensor

from img2img.networks.imagenet.subject_encoder import ANIMALS, SubjectEncoder


@pytest.fixture
def knows_the_middle(monkeypatch: pytest.MonkeyPatch) -> SubjectEncoder:
    """Sure of the subject in 6 x 6 of 24 x 24 places, and that it is nowhere else."""
    encoder = SubjectEncoder(range(ANIMALS), pretrained=False)
    log_odds = torch.full((2, 1, 24, 24), -4.0)
    log_odds[..., 9:15, 9:15] = 4
    monkeypatch.setattr(encoder, "_log_odds", lambda *_: log_odds)
    return encoder


def test_surroundings_are_all_but_the_subject_and_a_rim(knows_the_middle: SubjectEncoder) -> None:
    around = knows_the_middle.surroundings(torch.zeros(2, 3, 96, 96))
    assert around.shape == (2, 1, 96, 96)
    assert around[..., 34:62, 34:62].max() < 0.02  # the subject of 24 pixels, and half a place on each side
    outside = torch.ones(96, 96, dtype=torch.bool)
    outside[28:68, 28:68] = False
    assert around[0, 0][outside].min() > 0.98


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    encoder = SubjectEncoder(range(ANIMALS), pretrained=False)
    pictures = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    together: Tensor = encoder.surroundings(pictures)
    alone = torch.cat([encoder.surroundings(one) for one in (pictures[:1], pictures[1:])])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    assert ((together >= 0) & (together <= 1)).all()


def test_bfloat16_makes_no_infinities() -> None:
    encoder = SubjectEncoder([0], pretrained=False)
    assert encoder.classifier.bias is not None
    encoder.classifier.bias[0] = 100  # as sure of one class as can be
    with torch.autocast("cpu", torch.bfloat16):
        around = encoder.surroundings(torch.zeros(1, 3, 64, 64))
    assert torch.isfinite(around).all()
    assert around.max() < 0.01
