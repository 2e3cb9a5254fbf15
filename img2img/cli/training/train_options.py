"""The options that `img2img train` has for every recipe: made once, since each takes time before the first command."""

import re
from pathlib import Path
from typing import Annotated

import typer

from img2img.cli.shared_options import choice_option, seed_option
from img2img.data import Caching
from img2img.device import DEVICES


def _check_device(name: str) -> str:
    if not re.fullmatch(DEVICES, name):
        raise typer.BadParameter(f"{name}: give auto, cpu, cuda or cuda:N")
    return name


Steps = Annotated[int | None, typer.Option(min=1, help="How many steps to train in all.")]
Init = Annotated[Path | None, typer.Option(help="Start from these weights (.safetensors).")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the run's last state.")]
Seed = Annotated[int | None, seed_option("Seed of every random choice [default: 0].")]
TrainingDevice = Annotated[
    str, typer.Option(callback=_check_device, help="auto, cpu, cuda, or cuda:N for one of several GPUs.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Change one of the recipe's settings; repeatable."),
]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Processes that decode images [default: depends on data and device].")
]
CachePlace = Annotated[
    Caching,
    choice_option(Caching, help="Where decoded images are kept; the random crops differ with and without a cache."),
]
Compile = Annotated[bool, typer.Option("--compile", help="Compile the generators.")]
LogEvery = Annotated[int, typer.Option(min=1, help="Steps between records.")]
SaveEvery = Annotated[int, typer.Option(min=1, help="Steps between saved states.")]
Keep = Annotated[int, typer.Option(min=1, help="How many saved states are kept.")]
PreviewEvery = Annotated[int, typer.Option(min=1, help="Steps between preview grids.")]
HealthEvery = Annotated[int, typer.Option(min=1, help="Steps between health checks.")]
Minutes = Annotated[
    float | None,
    typer.Option(min=0, help="Save and stop after this many minutes; --resume continues [default: no limit]."),
]
Tensorboard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write the figures and previews for TensorBoard.")
]
