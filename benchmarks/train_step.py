"""How fast training is beside a plain loop with the same networks, as one table: medians of whole processes.

    python benchmarks/train_step.py                                   dcgan, wgan-gp and colorizer, 3 pairs each
    python benchmarks/train_step.py --recipes cgan tgan --steps 200   other recipes
    python benchmarks/train_step.py --recipes colorizer --data photos real photos; else they are drawn here

Both sides of a row run in turn, so that a busy machine slows both, with the same batches of the same pictures: ours as
`img2img train` runs it, the other as sides/plain_loop.py does. This process imports nothing heavy: a child's peak
memory begins at its parent's.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from whole_process import run

PHOTOS = "photos"
"""Stands for photos in the cases below: --data, or what is drawn here."""
PHOTO_COUNT = 128
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "gan": ("digits", ()),
    "dcgan": (PHOTOS, ("image_size=64", "image_channels=3")),
    "cgan": ("digits", ()),
    "wgan": ("digits", ()),
    "wgan-gp": ("digits", ()),
    "wgan-sn": ("digits", ()),
    "wgan-svc": ("digits", ()),
    "tgan": ("digits", ()),
    "colorizer": (PHOTOS, ("pretrained=false",)),
    "colorizer-gan": (PHOTOS, ("pretrained=false",)),
    "cyclegan": (PHOTOS, ("pretrained=false",)),
    "pix2pix": (PHOTOS, ("pretrained=false",)),
}
"""Recipe -> its data and settings."""
SIDES = ("ours", "plain")
TITLE = ("recipe", "batch, side", "img2img", "plain", "ratio", "its memory", "plain's", "ratio")


def row(recipe: str, options: argparse.Namespace, photos: Path) -> tuple[str, ...]:
    """Both sides in turn, `--runs` times."""
    measured: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    for _ in range(options.runs):
        for side in SIDES:
            child = run(Path(__file__), *child_arguments(recipe, side, options, photos))
            told = json.loads(child.printed.splitlines()[-1])
            measured[side].append((told["steps_per_second"], told["memory"] or child.memory))
            shape = f"{told['batch']} x {told['side']} px"
    (ours, memory), (plain, plain_memory) = (map(median, zip(*measured[side], strict=True)) for side in SIDES)
    return (
        f"`{recipe}`",
        shape,
        f"{ours:.3g} steps/s",
        f"{plain:.3g} steps/s",
        f"{ours / plain:.2f} x",
        f"{memory:.0f} MiB",
        f"{plain_memory:.0f} MiB",
        f"{plain_memory / memory:.2f} x",
    )


def child_arguments(recipe: str, side: str, options: argparse.Namespace, photos: Path) -> Iterator[object]:
    data, settings = CASES[recipe]
    yield from ("--child", side, "--recipes", recipe, "--data", photos if data == PHOTOS else data)
    yield from ("--steps", options.steps, "--warm", options.warm, "--device", options.device)
    yield from ("--workers", options.workers, *(["--compile"] if options.compile else []))
    for setting in (*settings, *options.set):
        yield from ("--set", setting)


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    for cells in (TITLE, ("---",) * len(TITLE), *rows):
        print(f"| {' | '.join(cells)} |")


# What the child processes do.


def draw_photos(folder: Path, count: int) -> None:
    """JPEGs of 500 x 375: soft colours with grain, so that decoding costs what a photo's does."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        colours = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        smooth = np.asarray(colours.resize((500, 375), Image.Resampling.BICUBIC), np.float32)
        grainy = smooth + rng.normal(0, 8, smooth.shape)
        Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:04}.jpg", quality=90)


def child(options: argparse.Namespace) -> None:
    """Trains one side and prints what it measured as JSON; memory is 0 where the parent can tell it."""
    import torch

    from img2img.device import pick_device
    from img2img.recipes import recipe_class
    from img2img.training.pace import Pace
    from img2img.training.request import TrainingRequest
    from img2img.training.start import start

    (recipe,) = options.recipes
    device = pick_device(options.device)
    with tempfile.TemporaryDirectory() as folder:
        request = TrainingRequest(
            recipe,
            [options.data] * len(recipe_class(recipe).domains),  # the same images as each
            Path(folder) / "run",
            steps=options.warm + options.steps,
            device=options.device,
            settings=options.set,
            preset=options.preset,
            pace=Pace(log_every=options.warm, evaluate_every=0, early_previews=()),
            compile=options.compile,
        )
        trainer = start(request)
        if options.child == "ours":
            trainer.train()
            records = {record["step"]: record["seconds"] for record in trainer.folder.stats()}
            speed = options.steps / (records[trainer.step] - records[options.warm])
        else:
            from sides.plain_loop import steps_per_second

            speed = steps_per_second(
                trainer.recipe, trainer.data.train, warm=options.warm, workers=options.workers, device=device
            )
    config = trainer.recipe.config
    told = {
        "steps_per_second": speed,
        "memory": torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0,
        "batch": trainer.recipe.samples_per_step,
        "side": config.image_size,
    }
    print(json.dumps(told))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    some = ["dcgan", "wgan-gp", "colorizer"]
    parser.add_argument("--recipes", nargs="+", choices=CASES, default=some, metavar="RECIPE", help=", ".join(CASES))
    parser.add_argument("--steps", type=int, default=100, help="of each process that are timed")
    parser.add_argument("--warm", type=int, default=20, help="steps before them")
    parser.add_argument("--runs", type=int, default=3, help="of each side; the median counts")
    parser.add_argument("--data", type=Path, help="a folder or .tar of photos; drawn here by default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action="store_true", help="as `img2img train --compile`; ours only")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of every recipe")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1), help="that load for the plain loop")
    parser.add_argument("--child", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--preset", help=argparse.SUPPRESS)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.child:
        child(options)
    elif options.draw:
        draw_photos(options.draw, PHOTO_COUNT)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        photos = options.data
        if not photos:
            photos = Path(name) / "photos"
            run(Path(__file__), "--draw", photos)
        print_table([row(recipe, options, photos) for recipe in options.recipes])


if __name__ == "__main__":
    main()
