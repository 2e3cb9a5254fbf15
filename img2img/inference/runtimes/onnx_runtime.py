"""Running a model file's graph on ONNX Runtime."""

from __future__ import annotations

import os
from typing import Any

from img2img.errors import ModelError
from img2img.inference.runtimes.runtime import LARGE, error_line, failed_run
from img2img.lab import Floats
from img2img.machine import collector_at_rest, return_freed_memory


class OnnxRuntime:
    """A session of ONNX Runtime; `threads` 0 takes every core."""

    def __init__(
        self,
        model: bytes,
        *,
        device: str = "auto",
        threads: int = 0,
        keeps_memory: bool = False,
        plans_memory: bool = True,
    ) -> None:
        """`model` is an .onnx file's bytes. Its ModelErrors do not name the file, which the caller knows.

        `keeps_memory`: scratch memory is used again from run to run, which saves half of the time on large inputs.
        `plans_memory`: from the second run of a size on it is one block, beside what the first run took: some 1% of
        the time for half as much memory again, where it is kept.
        """
        ort = _onnxruntime()
        providers = ["CPUExecutionProvider"]
        if device != "cpu" and self.has_cuda():
            providers.insert(0, "CUDAExecutionProvider")
        try:
            self._session = ort.InferenceSession(
                model, _options(ort, threads, keeps_memory, plans_memory), providers=providers
            )
        except Exception as error:  # its own exceptions have no base class
            raise ModelError(f"ONNX Runtime {ort.__version__} cannot load it: {error_line(error)}") from error
        if device == "cuda" and not self.on_gpu:
            raise ModelError("ONNX Runtime finds no usable GPU: CUDA's libraries or the driver are missing")
        if not self.on_gpu:
            self._session._model_bytes = None  # the file, kept to fall back from a GPU that fails
        optional = self._session.get_overridable_initializers()
        self._first = [self._session.get_outputs()[0].name]
        self._inputs = [value.name for value in (*self._session.get_inputs(), *optional)]
        self._required = len(self._inputs) - len(optional)
        self._giving_back = ort.RunOptions()
        if keeps_memory:
            self._giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return_freed_memory()

    @staticmethod
    def has_cuda() -> bool:
        return "CUDAExecutionProvider" in _onnxruntime().get_available_providers()

    @property
    def on_gpu(self) -> bool:
        return bool(self._session.get_providers()[0] == "CUDAExecutionProvider")

    def run(self, *arrays: Floats) -> Floats:
        return self._outputs(self._first, arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        return self._outputs(None, arrays)

    def _outputs(self, names: list[str] | None, arrays: tuple[Floats, ...]) -> tuple[Floats, ...]:
        feeds = dict(zip(self._inputs[: max(len(arrays), self._required)], arrays, strict=True))
        options = self._giving_back if arrays[0].size > LARGE else None
        try:
            outputs: tuple[Floats, ...] = tuple(self._session.run(names, feeds, options))
        except Exception as error:
            raise failed_run(error, arrays) from error
        return outputs


def _onnxruntime() -> Any:
    """Imported when a model is run: it takes longer than `img2img --help`.

    Its telemetry, which starts as it is imported, writes into the home folder and calls a server: a photo is
    nobody's business. Whoever wants it sets ORT_DISABLE_TELEMETRY=0.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        with collector_at_rest():
            import onnxruntime
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # so its C++ half reports a Ctrl-C
            raise KeyboardInterrupt from error
        raise
    onnxruntime.set_default_logger_severity(4)  # errors come as exceptions; the rest is noise on stderr
    return onnxruntime


def _options(ort: Any, threads: int, keeps_memory: bool, plans_memory: bool) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = keeps_memory
    options.enable_mem_pattern = plans_memory
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the cores to others
    return options
