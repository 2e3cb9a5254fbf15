"""What is said to a name that is none of the choices."""

import pytest

from img2img.choices import meant_or_all, nearest_choice, one_of


@pytest.mark.parametrize(
    ("name", "meant"),
    [("papr", "paper"), ("quik", "quick"), ("PAPER", "paper"), ("essay", None), ("", None)],
)
def test_nearest_choice_is_one_that_differs_little(name: str, meant: str | None) -> None:
    assert nearest_choice(name, ["paper", "quick"]) == meant


def test_choice_keeps_its_own_capitals() -> None:
    assert nearest_choice("monets", ["Monet", "horse"]) == "Monet"


def test_measure_of_likeness_is_the_callers() -> None:
    assert nearest_choice("photos", ["ae_photos"]) == "ae_photos"  # 2 * 6 letters of 15: 0.8
    assert nearest_choice("photos", ["ae_photos"], alike=0.81) is None


def test_one_choice_or_all_are_named() -> None:
    assert meant_or_all("papr", ["paper", "quick"]) == "did you mean paper?"
    assert meant_or_all("essay", ["paper", "quick"]) == "there are: paper, quick"
    assert meant_or_all("essay", []) == "there are: none"


def test_all_choices_are_named_and_the_nearest_asked_for() -> None:
    assert one_of("jepg", ["png", "jpg"]) == "one of png, jpg; did you mean jpg?"
    assert one_of("gif", ["png", "jpg"]) == "one of png, jpg"
