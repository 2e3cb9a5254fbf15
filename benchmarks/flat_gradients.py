"""How much a generator still learns while the discriminator gets better and better: a picture for the guide.

The generator stays as it was initialised; a discriminator trains against it, and every few updates the norm of the
gradient that each loss would give the generator is taken (Arjovsky & Bottou 2017, arXiv 1701.04862, figures 2 and 3).

    python benchmarks/flat_gradients.py --output docs/explanation/guide/flat-gradients.png
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from img2img.data.batches import training_batches
from img2img.data.open_source import open_source
from img2img.randomness import normal
from img2img.recipes import recipe_class
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.settings import make_config
from img2img.training.health.health import gradient_norm

CURVES = {
    "minimax": ("dcgan", "minimax", r"minimax: $\log(1 - D(G(z)))$"),
    "bce": ("dcgan", "bce", r"non-saturating: $-\log D(G(z))$"),
    "wasserstein-gp": ("wgan-gp", None, "Wasserstein with gradient penalty"),
}
BATCH = 64


def curve(name: str, updates: int, every: int) -> list[float]:
    """The generator's gradient norm before the first and after every few updates of the discriminator."""
    torch.manual_seed(0)
    recipe_name, adversarial, _ = CURVES[name]
    kind = recipe_class(recipe_name)
    chosen = [f"adversarial={adversarial}"] if adversarial else []
    recipe = kind(make_config(kind, ["generator_channels=16", "discriminator_channels=16", *chosen])).train()
    assert isinstance(recipe, GenerativeRecipe)
    judge = recipe.get_submodule(recipe.judge_name)
    optimizer = recipe.optimizers()[recipe.judge_name]
    norms = [generator_gradient(recipe)]
    for update, (real, fake, key) in enumerate(pairs(recipe, updates), start=1):
        loss, _ = recipe.game.discriminator(judge, real, fake, key, recipe.progress)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if update % every == 0:
            norms.append(generator_gradient(recipe))
    return norms


def pairs(recipe: GenerativeRecipe, count: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    batches = training_batches(
        {"image": open_source(["digits"])},
        image_size=recipe.config.image_size,
        batch_size=BATCH,
        augment="none",
        first=0,
        stop=count * BATCH,
        seed=0,
        device=torch.device("cpu"),
    )
    for batch in batches:
        with torch.no_grad():
            fake = recipe.generator(recipe.latents(batch["key"], "against the discriminator"))
        yield recipe.real(batch), fake, batch["key"]


def generator_gradient(recipe: GenerativeRecipe) -> float:
    judge = recipe.get_submodule(recipe.judge_name)
    z = normal(torch.arange(4 * BATCH), (recipe.config.z_dim,), "gradient")
    recipe.generator.zero_grad()
    recipe.game.loss.generator(judge(recipe.generator(z))).backward()  # type: ignore[no-untyped-call]
    return float(gradient_norm(recipe.generator.parameters()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, default=Path("flat-gradients.png"))
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()
    curves = {name: curve(name, given.updates, given.every) for name in CURVES}
    print("| updates of the discriminator | " + " | ".join(CURVES) + " |")
    print("|---" * (len(CURVES) + 1) + "|")
    for place in range(0, len(curves["bce"]), max(1, len(curves["bce"]) // 8)):
        print(f"| {place * given.every} | " + " | ".join(f"{curves[name][place]:.2g}" for name in CURVES) + " |")
    draw(curves, given.every, given.output)


def draw(curves: dict[str, list[float]], every: int, output: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    for name, norms in curves.items():
        axes.semilogy([every * place for place in range(len(norms))], norms, label=CURVES[name][2])
    axes.set_xlabel("updates of the discriminator against a generator that stands still")
    axes.set_ylabel("norm of the generator's gradient")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    main()
