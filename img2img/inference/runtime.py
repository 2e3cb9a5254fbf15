"""Running a model file's graph: on ONNX Runtime, on OpenVINO, or in PyTorch where only that reaches the GPU."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from img2img.errors import ModelError, UsageError
from img2img.lab import Floats
from img2img.model_file import ModelCard

DEVICES = ("auto", "cpu", "cuda")
RUNTIMES = ("auto", "onnxruntime", "openvino")
LARGE = 4_500_000  # numbers in an input, beyond which a run's scratch memory is not worth keeping
OUT_OF_MEMORY = ("Failed to allocate", "bad_alloc", "bad allocation")  # no exception of its own


class Runtime(Protocol):
    """Inputs, in the card's order and then the optional ones, to outputs, float32; several threads may share it.

    Raises MemoryError where a run needs more than there is, ModelError for all else that fails.
    """

    def run(self, *arrays: Floats) -> Floats:
        """The first output."""
        ...

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]: ...


def open_runtime(
    path: Path, model: bytes, card: ModelCard, *, device: str = "auto", threads: int = 0, runtime: str = "auto"
) -> Runtime:
    """The model in `path`, whose bytes are `model`, on a device. Device "auto" takes CUDA where ONNX Runtime has it.

    Where it has not, "cuda" runs the .safetensors beside `path` in PyTorch. Runtime "auto" is ONNX Runtime: OpenVINO
    rounds more, and what a photo becomes shall not depend on the packages at hand. ModelError says what is missing.
    """
    _check_choices(device, runtime)
    try:
        if runtime == "openvino":
            return _on_openvino(model, card, threads)
        if device != "cuda" or OnnxRuntime.has_cuda():
            keeps_memory = threads == 1 or card.task == "translate"  # many photos follow, or many tiles
            return OnnxRuntime(model, device=device, threads=threads, keeps_memory=keeps_memory)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if importlib.util.find_spec("torch") is None:
        raise ModelError(f"{path}: for --device cuda install onnxruntime-gpu, or PyTorch: pip install '.[train]'")
    from img2img.inference.torch_runtime import TorchRuntime

    return TorchRuntime(path.with_suffix(".safetensors"), card)


def _check_choices(device: str, runtime: str) -> None:
    if device not in DEVICES:
        raise UsageError(f"no device {device!r}: choose one of {', '.join(DEVICES)}")
    if runtime not in RUNTIMES:
        raise UsageError(f"no runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}")
    if runtime == "openvino" and device == "cuda":
        raise UsageError("OpenVINO runs on the processor: leave out --device cuda, or --runtime openvino")


def _on_openvino(model: bytes, card: ModelCard, threads: int) -> Runtime:
    from img2img.inference.openvino_runtime import OpenVinoRuntime

    # A critic's logits are compared with quantiles that were measured in float32.
    return OpenVinoRuntime(model, threads=threads, precision="f32" if card.task == "critic" else None)


class OnnxRuntime:
    """A session of ONNX Runtime; `threads` 0 takes every core."""

    def __init__(self, model: bytes, *, device: str = "auto", threads: int = 0, keeps_memory: bool = False) -> None:
        """`model` is an .onnx file's bytes. Its ModelErrors do not name the file, which the caller knows.

        `keeps_memory`: scratch memory is used again from run to run, which saves half of the time on large inputs.
        """
        ort = _onnxruntime()
        providers = ["CPUExecutionProvider"]
        if device != "cpu" and self.has_cuda():
            providers.insert(0, "CUDAExecutionProvider")
        try:
            self._session = ort.InferenceSession(model, _options(ort, threads, keeps_memory), providers=providers)
        except Exception as error:  # its own exceptions have no base class
            raise ModelError(f"ONNX Runtime {ort.__version__} cannot load it: {one_line(error)}") from error
        if device == "cuda" and self._session.get_providers()[0] != providers[0]:
            raise ModelError("ONNX Runtime finds no usable GPU: CUDA's libraries or the driver are missing")
        optional = self._session.get_overridable_initializers()
        self._inputs = [value.name for value in (*self._session.get_inputs(), *optional)]
        self._required = len(self._inputs) - len(optional)
        self._giving_back = ort.RunOptions()
        if keeps_memory:
            self._giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return_freed_memory()

    @staticmethod
    def has_cuda() -> bool:
        return "CUDAExecutionProvider" in _onnxruntime().get_available_providers()

    def run(self, *arrays: Floats) -> Floats:
        return self.run_all(*arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        feeds = dict(zip(self._inputs[: max(len(arrays), self._required)], arrays, strict=True))
        options = self._giving_back if arrays[0].size > LARGE else None
        try:
            outputs: tuple[Floats, ...] = tuple(self._session.run(None, feeds, options))
        except Exception as error:
            shapes = ", ".join(str(array.shape) for array in arrays)
            if any(words in str(error) for words in OUT_OF_MEMORY):
                raise MemoryError(f"the model needs more memory than there is for input {shapes}") from error
            raise ModelError(f"the model fails on input {shapes}: {one_line(error)}") from error
        return outputs


def usable_cores() -> int:
    """The processor cores that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _onnxruntime() -> Any:
    """Imported when a model is run: it takes longer than `img2img --help`.

    Its telemetry, which starts as it is imported, writes into the home folder and calls a server: a photo is
    nobody's business. Whoever wants it sets ORT_DISABLE_TELEMETRY=0.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # so its C++ half reports a Ctrl-C
            raise KeyboardInterrupt from error
        raise
    onnxruntime.set_default_logger_severity(4)  # errors come as exceptions; the rest is noise on stderr
    return onnxruntime


def _options(ort: Any, threads: int, keeps_memory: bool) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = keeps_memory
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the cores to others
    return options


def return_freed_memory() -> None:
    """To the system: glibc holds on to it, and loading a model frees about as much as it keeps."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)


def one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
