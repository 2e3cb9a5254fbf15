"""The live health of a training: every failure is provoked by a tiny training, and named; sound trainings are not."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from math import nan, pi, sqrt
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_run import TINY
from torch import Tensor, nn, optim

from img2img.evaluation.diversity import diversity_figures
from img2img.losses import ADVERSARIAL_LOSSES, WASSERSTEIN, AdversarialLoss, gradient_penalty
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.training.health import symptoms
from img2img.training.health.health import Health, gradient_norm
from img2img.training.health.history import Finding, History

MODES = 8
BATCH = 64
EVERY = 10


def mixture() -> Tensor:
    """(BATCH, 2): eight narrow Gaussians on a circle."""
    angle = torch.randint(MODES, (BATCH,)) * (2 * pi / MODES)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(BATCH, 2)


def latents() -> Tensor:
    return torch.randn(BATCH, 4)


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)
    )


class TinyGame:
    """A generator and a discriminator of points in the plane; the rates and turns are what a test spoils."""

    def __init__(
        self,
        loss: AdversarialLoss,
        *,
        generator_lr: float = 1e-3,
        discriminator_lr: float = 1e-3,
        discriminator_turns: int = 1,
        draw: Callable[[], Tensor] = latents,
        judge: str = "discriminator",
    ) -> None:
        torch.manual_seed(0)
        self.loss, self.draw, self.judge = loss, draw, judge
        self.discriminator_turns = discriminator_turns
        self.generator, self.discriminator = perceptron(4, 2), perceptron(2, 1)
        self.optimizers = {
            "generator": optim.Adam(self.generator.parameters(), generator_lr, betas=(0.5, 0.9), fused=True),
            judge: optim.Adam(self.discriminator.parameters(), discriminator_lr, betas=(0.5, 0.9), fused=True),
        }
        self.norms: dict[str, float] = {}

    def step(self) -> dict[str, float]:
        for _ in range(self.discriminator_turns):
            real, fake = mixture(), self.generator(self.draw()).detach()
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
            discriminator_loss = self.loss.discriminator(real_logits, fake_logits)
            penalty = torch.zeros(())
            if self.loss.gradient_penalty:
                penalty = gradient_penalty(self.discriminator, real, fake, torch.rand(BATCH))
            self.update(self.judge, discriminator_loss + penalty)
        seen = [self.discriminator(self.generator(self.draw()))]
        if self.loss.relativistic:
            seen.append(self.discriminator(mixture()))
        generator_loss = self.loss.generator(*seen)
        self.update("generator", generator_loss)
        scalars = {"generator": float(generator_loss.detach())}
        boundary: float | Tensor | None = self.loss.boundary
        if self.loss.relativistic:
            boundary = (real_logits + fake_logits) / 2
        if boundary is None:
            return {**scalars, "distance": -float(discriminator_loss.detach())}
        return {
            **scalars,
            "discriminator": float(discriminator_loss.detach()),
            "real_right": float((real_logits > boundary).float().mean()),
            "fake_right": float((fake_logits < boundary).float().mean()),
        }

    def rate(self, player: str, rate: float) -> None:
        self.optimizers[player].param_groups[0]["lr"] = rate

    def update(self, player: str, loss: Tensor) -> None:
        optimizer = self.optimizers[player]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.norms[player] = float(gradient_norm(optimizer.param_groups[0]["params"]))
        optimizer.step()

    @torch.no_grad()
    def figures(self) -> dict[str, float]:
        return {name: float(value) for name, value in diversity_figures(self.generator(self.draw()), mixture()).items()}

    def play(self, steps: int, health: Health) -> Iterator[str]:
        """Take that many steps; yields the names of what health finds."""
        for step in range(1, steps + 1):
            scalars = self.step()
            if step % EVERY == 0:
                yield from (found.name for found in health.check(step, steps, scalars, self.norms, self.figures()))


def finds(game: TinyGame, expected: str, steps: int) -> bool:
    return expected in game.play(steps, Health())


def one_of_four() -> Tensor:
    return torch.eye(4)[torch.randint(4, (BATCH,))]


def one_only() -> Tensor:
    return torch.zeros(BATCH, 4)


def test_minimax_against_a_much_better_discriminator_has_vanishing_gradients() -> None:
    game = TinyGame(ADVERSARIAL_LOSSES["minimax"], discriminator_turns=2, generator_lr=1e-5, discriminator_lr=1e-2)
    assert finds(game, "vanishing gradients", steps=150)


def test_discriminator_that_learns_ten_thousand_times_faster_is_always_right() -> None:
    game = TinyGame(ADVERSARIAL_LOSSES["bce"], generator_lr=1e-6, discriminator_lr=1e-2)
    assert finds(game, "discriminator always right", steps=150)


@pytest.mark.slow
def test_generator_that_ignores_its_latents_collapses() -> None:
    assert finds(TinyGame(ADVERSARIAL_LOSSES["bce"], draw=one_only), "mode collapse", steps=600)


def test_generator_whose_discriminator_stands_still_collapses_onto_its_weakest_point() -> None:
    game, health = TinyGame(ADVERSARIAL_LOSSES["least-squares"]), Health()
    game.generator.append(nn.Tanh())
    assert list(game.play(100, health)) == []
    game.rate("discriminator", 0.0)
    game.rate("generator", 1e-2)
    assert "mode collapse" in game.play(100, health)
    assert "(once " in health.record["findings"][0]["sentence"]


def test_generator_that_knows_four_points_draws_duplicates() -> None:
    assert finds(TinyGame(ADVERSARIAL_LOSSES["bce"], draw=one_of_four), "duplicates", steps=100)


def test_critic_without_constraint_runs_away() -> None:
    game = TinyGame(WASSERSTEIN, judge="critic", discriminator_lr=1e-2, generator_lr=1e-5)
    assert finds(game, "runaway critic", steps=200)


@pytest.mark.parametrize("loss", ["bce", "least-squares"])
def test_discriminator_at_a_huge_rate_runs_away(loss: str) -> None:
    assert finds(TinyGame(ADVERSARIAL_LOSSES[loss], discriminator_lr=1.0), "runaway discriminator", steps=100)


def test_generator_that_its_discriminator_cannot_follow_runs_away() -> None:
    game = TinyGame(ADVERSARIAL_LOSSES["least-squares"], generator_lr=1e-2, discriminator_lr=1e-6)
    assert finds(game, "runaway generator", steps=200)


def test_weights_blown_up_by_a_huge_rate_are_not_finite() -> None:
    game = TinyGame(ADVERSARIAL_LOSSES["bce"], generator_lr=1e30, discriminator_lr=1e30)
    health = Health()
    assert next(game.play(30, health)) == "not finite"
    (finding,) = health.record["findings"]
    assert "discriminator, gradient of discriminator" in finding["sentence"]


def regression(health: Health, rate: float, steps: int) -> Iterator[str]:
    """One network learns a linear map of its input by gradient descent: a training that is no game."""
    torch.manual_seed(0)
    network = nn.Linear(2, 2)
    optimizer = optim.SGD(network.parameters(), rate)
    for step in range(1, steps + 1):
        given = mixture()
        answer = given.flip(1)
        predicted = network(given)
        loss = F.mse_loss(predicted, answer)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norms = {"generator": float(gradient_norm(network.parameters()))}
        optimizer.step()
        if step % EVERY == 0:
            measured = {name: float(value) for name, value in diversity_figures(predicted.detach(), answer).items()}
            yield from (
                found.name for found in health.check(step, steps, {"loss": float(loss.detach())}, norms, measured)
            )


def test_growing_gradients_run_away_before_they_overflow() -> None:
    assert next(regression(Health(), rate=2.3, steps=300), "") == "runaway generator"


def test_regression_that_converges_is_silent() -> None:
    assert list(regression(Health(), rate=0.5, steps=400)) == []


SOUND: dict[str, dict[str, Any]] = {
    "bce": {},
    "least-squares": {},
    "hinge": {},
    "relativistic": {},
    "wasserstein-gp": {"judge": "critic", "discriminator_turns": 3},
}


@pytest.mark.parametrize("loss", ["bce", pytest.param("hinge", marks=pytest.mark.slow)])
def test_balanced_game_is_silent(loss: str) -> None:
    assert list(TinyGame(ADVERSARIAL_LOSSES[loss], **SOUND[loss]).play(100, Health())) == []


@pytest.mark.slow
@pytest.mark.parametrize("loss", SOUND)
def test_balanced_game_stays_silent(loss: str) -> None:
    assert list(TinyGame(ADVERSARIAL_LOSSES[loss], **SOUND[loss]).play(2000, Health())) == []


def sound(**changed: float) -> dict[str, Any]:
    """What a sound game measures, but for what is changed."""
    return {
        "scalars": {"discriminator": 0.5, "generator": 1.0, "real_right": 0.8, "fake_right": 0.8},
        "gradient_norms": {"discriminator": 1.0, "generator": 1.0},
        "figures": {"diversity": 1.0, "duplicates": 0.0, "apart": 20.0, **changed},
    }


def names(health: Health, measured: Iterable[Mapping[str, Any]], first: int = 1) -> list[list[str]]:
    return [
        [found.name for found in health.check(100 * number, 100_000, **values)]
        for number, values in enumerate(measured, first)
    ]


def test_finding_comes_once_and_again_after_it_went_away() -> None:
    varied, collapsed = [sound()] * 20, [sound(diversity=0.05)] * 20
    found = names(Health(), [*varied, *collapsed, *varied, *collapsed])
    assert [number for number, some in enumerate(found) if some] == [21, 61]  # the second of three makes the median
    assert found[21] == found[61] == ["mode collapse"]


def test_record_holds_what_is_wrong_for_as_long_as_it_is() -> None:
    health = Health()
    names(health, [*[sound()] * 5, *[sound(diversity=0.05)] * 5])
    (finding,) = health.record["findings"]
    assert finding["name"] == "mode collapse"
    assert "only 0.05 times as varied as the data (once 1)" in finding["sentence"]
    assert {**sound(diversity=0.05), "step": 1000, "steps": 100_000, "findings": [finding]} == health.record


def test_one_odd_check_raises_no_alarm() -> None:
    odd = sound(diversity=0.0, duplicates=1.0)
    assert not any(names(Health(), [sound(), sound(), sound(), odd, sound(), sound(), odd, sound()]))


def test_discriminator_that_is_never_wrong_is_named_after_long() -> None:
    right = sound()
    right["scalars"].update(real_right=1.0, fake_right=1.0, discriminator=0.01)
    found = names(Health(), [right] * 30)
    assert [number for number, some in enumerate(found) if some] == [19]  # step 2,000


def test_values_that_are_not_finite_are_named_and_forgotten() -> None:
    health = Health()
    assert names(health, [sound()] * 5 + [sound(diversity=nan)]) == [[]] * 5 + [["not finite"]]
    assert names(health, [sound(diversity=0.05)] * 2, first=7) == [[], ["mode collapse"]]


def test_health_rebuilt_from_its_records_goes_on_as_if_never_stopped() -> None:
    course = [sound()] * 8 + [sound(diversity=0.05)] * 4 + [sound()] * 15 + [sound(diversity=0.05)] * 4
    for cut in range(1, len(course)):
        whole, before = Health(), Health()
        lines = []
        for number, values in enumerate(course[:cut], 1):
            before.check(100 * number, 100_000, **values)
            lines.append(json.dumps(before.record))
        expected = names(whole, course)[cut:]
        assert names(Health(map(json.loads, lines)), course[cut:], first=cut + 1) == expected


RUINED: list[dict[str, float]] = [
    {"diversity": 0.001},
    {"duplicates": 0.9},
    {"real_right": 1.0, "fake_right": 1.0, "discriminator": 1e-6},
    {"real_right": 0.1, "fake_right": 0.1, "discriminator": 9.0},
    {"discriminator": 1e3},
    {"distance": 1e9},
    {"gradient of generator": 1e-9, "gradient of generators": 1e-9},
    {"gradient of generator": 1e9, "gradient of generators": 1e9},
    {"gradient of discriminator": 1e9, "gradient of critic": 1e9, "gradient of discriminators": 1e9},
    {"change": 0.001},
    {"luma": -0.9},
    {"repainted": 0.9},
]
"""What goes wrong, in each of the ways that a recipe's own figures can show."""


def ruined(recipe: Recipe, scalars: Iterable[str], wrong: Mapping[str, float]) -> list[Finding]:
    """What is found of a run of the recipe that goes well for long, then wrong."""
    players = recipe.optimizers()
    well = {**dict.fromkeys(scalars, 0.5), **{f"gradient of {player}": 1.0 for player in players}}
    well |= {"diversity": 1.0, "duplicates": 0.0, "apart": 20.0}
    unpaired = recipe.task == "translate" and not recipe.paired  # of pairs, what became of a picture says nothing
    well |= {"change": 0.1, "luma": 0.9, "colour": 0.9, "repainted": 0.1} if unpaired else {}
    history = History()
    for number in range(60):
        now = wrong if number > 30 else {}
        history.add(1000 * (number + 1), 60_000, players, {name: now.get(name, value) for name, value in well.items()})
    return symptoms.symptoms(history)


ADVERSARIAL = [name for name in RECIPES if "adversarial" in (field.name for field in fields(recipe_class(name).Config))]


@pytest.mark.parametrize(
    ("name", "settings"),
    [*((name, ()) for name in RECIPES), *((name, ("adversarial=relativistic",)) for name in ADVERSARIAL)],
)
def test_remedies_can_be_followed_with_every_recipe(name: str, settings: tuple[str, ...]) -> None:
    kind = recipe_class(name)
    recipe = kind(make_config(kind, [*TINY[name], *settings]))
    # what the steps of each family of recipes return, as test_recipes holds it of the real ones
    judge = next((player for player in recipe.optimizers() if not player.startswith("generator")), "")
    scalars = {"discriminator": ["discriminator", "generator", "real_right", "fake_right"], "": ["loss"]}
    scalars["discriminators"] = [*scalars["discriminator"], "cycle"]
    shown = scalars.get(judge, ["distance", "generator", *(["penalty"] if name == "wgan-gp" else [])])
    found = {each.name: each.sentence for wrong in RUINED for each in ruined(recipe, shown, wrong)}
    assert len(found) >= (3 if not judge else 5) + (3 if recipe.task == "translate" and not recipe.paired else 0), found
    for sentence in found.values():
        assert "train wgan" not in sentence, "another recipe may have another task"
        named = set(re.findall(r"[a-z]+_[a-z_]+\d?|\w+(?==)", sentence))
        assert named <= {field.name for field in fields(kind.Config)}, sentence
        for assignment in re.findall(r"\w+=[\w.]+\w", sentence):
            make_config(kind, [*TINY[name], *settings, assignment])


def test_diversity_is_the_ratio_of_mean_distances() -> None:
    data = torch.rand(32, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    assert diversity_figures(data, data)["diversity"] == 1
    assert diversity_figures(0.5 * data, data)["diversity"] == pytest.approx(0.5, abs=0.03)
    assert diversity_figures(data[:1].expand(32, -1, -1, -1), data)["diversity"] < 0.05


def test_data_of_one_picture_repeated_is_as_varied_as_itself() -> None:
    one = torch.full((8, 3, 8, 8), 0.5)
    assert diversity_figures(one, one)["diversity"] == 1
    assert diversity_figures(one, one)["duplicates"] == 0


def test_duplicates_are_the_share_of_samples_with_a_twin() -> None:
    data = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    samples = data.clone()
    samples[:4] = samples[0]
    assert diversity_figures(samples, data)["duplicates"] == 0.25


def test_apart_bounds_the_wasserstein_distance_of_a_shift() -> None:
    data = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    shift = 3 * sqrt(8 * 8)  # every pixel by 3; moving each picture by it is the best plan
    assert diversity_figures(data + 3, data)["apart"] >= shift
    assert diversity_figures(data + 3, data)["apart"] == pytest.approx(shift, rel=0.05)


def test_grey_samples_are_compared_with_the_data_in_grey() -> None:
    grey = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    in_colour = diversity_figures(grey, grey.expand(-1, 3, -1, -1))
    assert in_colour == {name: pytest.approx(float(value)) for name, value in diversity_figures(grey, grey).items()}


def test_last_frames_of_videos_are_compared() -> None:
    video = torch.rand(8, 3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert diversity_figures(video[:, :, -1], video) == diversity_figures(video[:, :, -1], video[:, :, -1])


def test_too_few_pictures_give_no_figures() -> None:
    assert diversity_figures(torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)) == {}


def test_figures_and_gradient_norms_ask_nothing_of_the_host() -> None:
    pictures = torch.empty(8, 3, 32, 32, device="meta")  # has no values to ask for
    assert diversity_figures(pictures, pictures)["diversity"].is_meta
    parameter = nn.Parameter(pictures)
    parameter.grad = pictures
    assert gradient_norm([parameter]).is_meta


def test_gradient_norm_is_of_all_parameters_together() -> None:
    three, four, without = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    three.grad, four.grad = torch.tensor([3.0]), torch.tensor([4.0])
    assert gradient_norm([three, four, without]) == 5
    assert gradient_norm([without]) == 0
