"""The change outside of a subject: hand-worked for masks drawn by code, and masks grown from seeds of known places."""

import pytest
import torch

from img2img.errors import UsageError
from img2img.evaluation.subject.change_outside import summed_change
from img2img.evaluation.subject.subject_classes import at_places, class_indices
from img2img.evaluation.subject.subject_mask import subject_masks


def middle() -> torch.Tensor:
    mask = torch.zeros(12, 12, dtype=torch.bool)
    mask[4:8, 4:8] = True
    return mask


def test_picture_left_as_it_is_has_no_change_anywhere() -> None:
    figures = summed_change([torch.zeros(12, 12)], [middle()], rim=1).figures()
    assert figures == {
        "pictures_with_subject": 1,
        "change_outside": 0,
        "change_inside": 0,
        "share_outside": 0,
        "change_foreground": 0,
    }


def test_change_is_told_apart_inside_outside_and_in_the_lower_third_and_the_rim_counts_in_the_whole_alone() -> None:
    difference = torch.full((12, 12), 2.0)
    difference[8:] = 5  # the lower third, whose first row has 6 pixels of the rim
    difference[middle()] = 10
    figures = summed_change([difference], [middle()], rim=1)
    above, below = 144 - 36 - 42, 48 - 6  # outside the mask of 16 pixels and its rim of 20
    assert figures.change_inside == 10
    assert figures.change_foreground == 5
    assert figures.change_outside == pytest.approx((2 * above + 5 * below) / 108)
    assert figures.share_outside == pytest.approx((2 * above + 5 * below) / (160 + 2 * 80 + 5 * 48))


def test_mask_grows_over_the_places_that_have_the_features_of_the_seeds() -> None:
    features = torch.randn(3, 10, 10, generator=torch.Generator().manual_seed(0)) * 0.05
    features[0, 2:8, 2:8] += 1
    log_odds = torch.full((10, 10), 1.0)  # neither the subject nor surely its surroundings
    log_odds[0], log_odds[4:6, 3:7] = -1, 4
    mask, none = subject_masks([features, features], [log_odds, torch.zeros(10, 10)], 10)
    assert none is None
    assert mask is not None
    expected = torch.zeros(10, 10, dtype=torch.bool)
    expected[2:8, 2:8] = True
    assert (mask == expected).float().mean() > 0.95


def test_subject_is_all_animals_or_a_class_and_a_slip_is_answered_with_the_nearest() -> None:
    assert len(class_indices("animal")) == 398
    assert class_indices("Zebra") == [340]
    with pytest.raises(UsageError, match="did you mean sorrel"):
        class_indices("sorrell")


def test_place_of_a_strided_convolution_lies_at_its_stride_and_not_half_of_it_further() -> None:
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    assert at_places(ramp, 8)[0, 0, 0].tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3, 3])
