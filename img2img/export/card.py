"""What an exported model's card says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from img2img.export.halo import measure_halo
from img2img.model_file import ModelCard
from img2img.recipes.recipe import Recipe
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import TrainState
from img2img.version import __version__


def card_of(run: Path, state: TrainState, recipe: type[Recipe], config: Recipe.Config) -> ModelCard:
    """What is true of every model of the run; its name and its `facts` are each one's own."""
    info = RunFolder(run).read_info()
    return ModelCard(
        name="",
        task=recipe.task,
        inputs=recipe.inputs(config),
        outputs=recipe.outputs(config),
        native_size=recipe.native_size(config),
        size_multiple=recipe.sides_multiple(config),
        recipe=state.recipe,
        settings=vars(config),
        data=", ".join(Path(path).name for path in info.data),
        step=state.step,
        seed=state.seed,
        metrics={},
        metrics_command="",
        licence="Apache-2.0",
        version=__version__,
        parameters=0,
        hardware=info.hardware,
        paired=recipe.paired,
        result=recipe.result(config),
        seconds=RunFolder(run).seconds() or None,
        classes=tuple(info.classes) if any(spec.name == "label" for spec in recipe.inputs(config)) else (),
    )


def facts(
    network: nn.Module, graph: bytes, recipe: type[Recipe], card: ModelCard, beside: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Fields of the card that the network, its graph and what lies `beside` them tell."""
    told: dict[str, Any] = {"parameters": sum(parameter.numel() for parameter in network.parameters())}
    if recipe.task == "translate":
        told["halo"] = measure_halo(graph, card.inputs[0], card.size_multiple)
    told["outputs"] = (*card.outputs, *recipe.further_outputs(network))
    return told | recipe.about(network, beside)
