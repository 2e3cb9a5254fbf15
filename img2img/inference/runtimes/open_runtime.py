"""Which runtime a model file's graph runs on: ONNX Runtime, OpenVINO, or PyTorch where only that reaches the GPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from img2img.choices import one_of
from img2img.errors import ModelError, UsageError
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.joined_runs import JoinedRuns
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.runtime import Runtime
from img2img.model_file import ModelCard, for_several

DEVICES = ("auto", "cpu", "cuda")
RUNTIMES = ("auto", "onnxruntime", "openvino")


def open_runtime(path: Path, model: bytes, card: ModelCard, execution: Execution = Execution()) -> Runtime:
    """The model in `path`, whose bytes are `model`, where `execution` says.

    Device "auto" takes CUDA where ONNX Runtime has it. Where it has not, "cuda" runs the .safetensors beside `path` in
    PyTorch. Runtime "auto" is ONNX Runtime: OpenVINO rounds more, and what a photo becomes shall not depend on the
    packages at hand. ModelError says what is missing.
    """
    device, threads, runtime = execution.device, execution.threads, execution.runtime
    _check_choices(device, runtime)
    try:
        if runtime == "openvino":
            return _on_openvino(model, card, threads)
        if device != "cpu" and OnnxRuntime.has_cuda():
            return _on_gpu(model, card, execution)
        if device != "cuda":
            return OnnxRuntime(model, device="cpu", threads=threads, **_memory(card, threads))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if importlib.util.find_spec("torch") is None:
        raise ModelError(f"{path}: for --device cuda install onnxruntime-gpu, or PyTorch: pip install '.[train]'")
    from img2img.inference.runtimes.torch_runtime import TorchRuntime

    runtime = TorchRuntime(path.with_suffix(".safetensors"), card)
    return JoinedRuns(runtime) if _takes_several(card) else runtime


def _on_gpu(model: bytes, card: ModelCard, execution: Execution) -> Runtime:
    """With photos joined where the graph can; under device "auto" on the processor, if the GPU is not usable."""
    device, threads = execution.device, execution.threads
    several = _takes_several(card)
    runtime = OnnxRuntime(
        for_several(model) if several else model,
        device=device,
        threads=threads,
        **_memory(card, threads),
    )
    return JoinedRuns(runtime) if several and runtime.on_gpu else runtime


def _takes_several(card: ModelCard) -> bool:
    """A translator's norms would mix the statistics of several photos."""
    return card.task == "colorize"


def _memory(card: ModelCard, threads: int) -> dict[str, bool]:
    """Kept where many photos follow, or many tiles; tiles are too large for more than one run's."""
    has_tiles = card.task == "translate"
    return {"keeps_memory": threads == 1 or has_tiles, "plans_memory": not has_tiles}


def _check_choices(device: str, runtime: Runtime | str) -> None:
    if device not in DEVICES:
        raise UsageError(f"no device {device!r}: choose {one_of(device, DEVICES)}")
    if runtime not in RUNTIMES:
        raise UsageError(f"no runtime {runtime!r}: choose {one_of(runtime, RUNTIMES)}")
    if runtime == "openvino" and device == "cuda":
        raise UsageError("OpenVINO runs on the processor: leave out --device cuda, or --runtime openvino")


def _on_openvino(model: bytes, card: ModelCard, threads: int) -> Runtime:
    from img2img.inference.runtimes.openvino_runtime import OpenVinoRuntime

    # A critic's numbers are compared with quantiles that were measured in float32.
    return OpenVinoRuntime(model, threads=threads, precision="f32" if card.task == "critic" else None)
