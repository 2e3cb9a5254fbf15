"""From another framework's checkpoint to a model file of ours, with the parity measured and the card written."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from torch import nn

from img2img.atomic_file import check_target
from img2img.errors import ExportError, ModelError, SettingError
from img2img.export.files import write_graph
from img2img.export.onnx_graph import graph_of
from img2img.export.parity import Parity, check_parity, measure_graph
from img2img.export.targets import model_target
from img2img.importing.checkpoint import read_checkpoint
from img2img.importing.generator_layout import GeneratorLayout
from img2img.importing.imported_network import imported_network
from img2img.importing.recognise import recognised
from img2img.importing.way_back import way_back
from img2img.model_file import ModelCard
from img2img.recipes import IMPORTED
from img2img.recipes.translation.translator_tensors import (
    GREY_LEVELS,
    IMAGE,
    TRANSLATED,
    statistics_outputs,
    with_statistics,
)
from img2img.version import __version__

TOLERANCE = 0.05
"""Grey levels of 255 by which the graph may drift from PyTorch."""
UNKNOWN = "unknown"
BATCH = (
    "Its batch norms take each picture's own statistics, as the authors' tests do (a batch of one); --norm running "
    "takes those of the training."
)
RUNNING = "Its batch norms take the running statistics of the training, unlike the authors' tests."

DRAWS = (
    "A result is the picture that it draws, since it looks like a network of pix2pix; --result change says otherwise."
)
CHANGES = "A result is a photo with what it changes, as cycle_gan and CUT are trained; --result picture says otherwise."

NormWay = Literal["picture", "running"]
ResultKind = Literal["change", "picture"]


@dataclass(frozen=True)
class ImportedModel:
    """The file that was written, what it holds in a few words, and its parity at each size."""

    file: Path
    card: ModelCard
    parity: list[Parity]
    awaited: Path | None = None
    """The file of the way back where it is named and not there yet."""


def import_model(
    checkpoint: Path,
    target: Path,
    *,
    norm: NormWay = "picture",
    licence: str = UNKNOWN,
    source: str = UNKNOWN,
    native_size: int | None = None,
    result: ResultKind | None = None,
    reverse: str | None = None,
    overwrite: bool = False,
) -> ImportedModel:
    """Write `target` (.onnx) of a generator's checkpoint, its weights in full precision.

    `norm`: batch norms take the statistics of each "picture", as the authors' tests do, or the "running" ones of the
    training. `result` is the card's; without one it is what a network of this make was most likely trained for, and
    the notes say so. `reverse` is the name or file of the model that goes back, whether it is there already or not.
    Raises ModelError for a file that is not such a checkpoint, SettingError for what does not go together, ExportError
    for a target that is there already, unless `overwrite`, and when the graph drifts from PyTorch; nothing is written
    then.
    """
    target = model_target(target)
    check_target(target, overwrite=overwrite, error=ExportError)
    back = way_back(target, reverse) if reverse is not None else None
    tensors = read_checkpoint(checkpoint)
    layout = recognised(tensors, checkpoint)
    running = norm == "running"
    if running and layout.norm != "batch":
        raise SettingError(f"--norm running: {checkpoint} has no batch norms; leave it out")
    network = imported_network(layout, tensors, running=running)
    if not all(one.isfinite().all() for one in network.parameters()):
        raise ModelError(f"{checkpoint}: its running statistics are no statistics: import it without --norm running")
    graph = graph_of(with_statistics(deepcopy(network)).eval(), (IMAGE,), (TRANSLATED,), layout.size_multiple)
    parity = measure_graph(
        target.stem, network, graph, (IMAGE,), GREY_LEVELS, "grey levels of 255", multiple=layout.size_multiple
    )
    check_parity(parity, TOLERANCE, checkpoint)
    notes = _notes(checkpoint, layout, running=running, sized=native_size is not None)
    if result is None:
        result = likely_result(layout)
        notes += f" {DRAWS if result == 'picture' else CHANGES}"
    card = _card(target.stem, network, layout, native_size or layout.native_size)
    card = replace(card, data=source, licence=licence, notes=notes, result=result, reverse=back.name if back else None)
    write_graph(target, graph, card)
    return ImportedModel(target, card, parity, awaited=back.beside if back and not back.file else None)


def likely_result(layout: GeneratorLayout) -> ResultKind:
    """What a result of such a network should be, as far as the make tells.

    pix2pix, which draws from masks, maps and sketches, is by its authors' defaults a U-Net with batch norms; cycle_gan
    and CUT, which change photos, are ResNets with instance norms. Between grey and colour there is no change to add.
    """
    alike = layout.input_channels == layout.output_channels
    resnet = layout.settings["architecture"] == "resnet"
    return "change" if resnet and layout.norm != "batch" and alike else "picture"


def _card(name: str, network: nn.Module, layout: GeneratorLayout, native_size: int) -> ModelCard:
    multiple = layout.size_multiple
    return ModelCard(
        name=name,
        task="translate",
        inputs=(IMAGE,),
        outputs=(TRANSLATED, *statistics_outputs(network)),
        native_size=native_size,
        size_multiple=multiple,
        recipe=IMPORTED,
        settings=dict(layout.settings),
        data=UNKNOWN,
        step=0,
        metrics={},
        metrics_command="",
        licence=UNKNOWN,
        version=__version__,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        halo=-(-layout.reach // multiple) * multiple,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _notes(checkpoint: Path, layout: GeneratorLayout, *, running: bool, sized: bool) -> str:
    """Where it is from, as what it was recognised, and what the tensors do not say."""
    digest = _sha256(checkpoint)
    parts = [
        f"Imported from {checkpoint.name} (sha256 {digest}), a {layout.name}, {layout.settings['channels']} channels "
        f"and {'no' if layout.norm == 'none' else layout.norm} norms.",
    ]
    if layout.norm == "batch":
        parts.append(RUNNING if running else BATCH)
    if layout.settings.get("dropout") or layout.settings["architecture"] == "unet":
        parts.append("Dropout, where it was trained with it, is off.")
    if (ends := (layout.input_channels, layout.output_channels)) != (3, 3):
        parts.append(
            f"Made for pictures of {ends[0]} channel(s), drawing {ends[1]}: grey ends are led to and from RGB."
        )
    if layout.settings["architecture"] == "unet":
        parts.append(
            f"A pixel is drawn from {layout.reach} px around it, so that --size native, beyond 4.2 megapixels, takes "
            "tiles that overlap far, and long."
        )
    assumed = "values in [-1, 1]" if sized else f"values in [-1, 1], trained at {layout.native_size} px"
    return " ".join([*parts, f"Assumed: {assumed}."])
