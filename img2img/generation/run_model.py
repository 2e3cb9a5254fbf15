"""The model file of a run: exported when it is first asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from img2img.errors import ModelError, RunError

TOLERANCE = 0.05  # grey levels of 255 by which the exported graph may drift from PyTorch


def model_file(model: str) -> str:
    """A model's name or file as it is; of a run's folder the sampler of its newest state, exported if need be."""
    return str(_sampler_of(Path(model))) if Path(model).is_dir() else model


def _sampler_of(run: Path) -> Path:
    """RUN/sampler-STEP.onnx; only making it imports PyTorch."""
    states = sorted(run.glob("state-*.pt"))
    if not states:
        raise RunError(f"{run}: no saved state in it, so nothing to draw with: give a run's folder or an .onnx file")
    target = run / f"sampler-{states[-1].stem.removeprefix('state-')}.onnx"
    if not target.is_file():
        _export(run, target)
    return target


def _export(run: Path, target: Path) -> None:
    from img2img.export import export_run
    from img2img.recipes import recipe_class
    from img2img.training.run_folder import RunFolder

    name = RunFolder(run).read_info().recipe
    if recipe_class(name).task != "generate":
        raise ModelError(f"{run}: a run of {name}, which converts photos: only a run that draws from noise fits here")
    print(f"exporting {run} to {target.name}", file=sys.stderr)
    export_run(run, target, tolerance=TOLERANCE)
