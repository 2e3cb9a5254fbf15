"""Running a model file's graph on OpenVINO: on processors with bfloat16 faster than ONNX Runtime, with fewer digits."""

from __future__ import annotations

import sys
from collections import OrderedDict
from functools import cache
from threading import Lock
from typing import Any

from img2img.errors import ModelError
from img2img.inference.runtimes.runtime import LARGE, error_line, failed_run
from img2img.lab import Floats
from img2img.machine import return_freed_memory, usable_cores

OPTIONAL = ("frozen", "prior")
"""Initialisers that a graph lists among its inputs, which OpenVINO takes for constants: they become inputs again."""
KEPT = 4
"""Sizes of which a compiled graph is kept, those used last: each takes 20 to 50 MiB a stream."""
_TELEMETRY = "openvino_telemetry"


class _OfEachSize:
    """A graph compiled for each size of inputs, which runs faster than one for all sizes; those used last are kept."""

    def __init__(self, graph: Any, options: dict[str, Any]) -> None:
        self._graph, self._options = graph, options
        self._kept: OrderedDict[tuple[tuple[int, ...], ...], Any] = OrderedDict()
        self._one_at_a_time = Lock()

    def compiled(self, arrays: list[Floats]) -> Any:
        """For inputs like these; RuntimeError where they do not fit, or memory does not suffice."""
        if arrays[0].size > LARGE:
            return self._compiled(arrays)  # hundreds of bytes a pixel: not kept
        sizes = tuple(array.shape for array in arrays)
        with self._one_at_a_time:
            if sizes not in self._kept:
                self._kept[sizes] = self._compiled(arrays)
            self._kept.move_to_end(sizes)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[sizes]

    def _compiled(self, arrays: list[Floats]) -> Any:
        graph = self._graph.clone()
        graph.reshape({place: list(array.shape) for place, array in enumerate(arrays)})
        return _core().compile_model(graph, "CPU", self._options)


class OpenVinoRuntime:
    """A graph in OpenVINO, `threads` cores a run, 0 all of them, and as many runs at a time as that leaves cores for.

    Sizes may vary from run to run; a new one is compiled first, which takes as long as a dozen runs.
    """

    def __init__(self, model: bytes, *, threads: int = 0, precision: str | None = None) -> None:
        """`model` is an .onnx file's bytes. Its ModelErrors do not name the file, which the caller knows.

        `precision` is "bf16" or "f32"; by default bf16 where the processor has it.
        """
        openvino = _openvino()
        options = _options(threads or usable_cores(), precision)
        try:
            graph = _core().read_model(model)
            self._defaults = _make_inputs(graph, openvino)
            _fold_constants(graph)
            self._inputs = len(graph.inputs)
        except Exception as error:  # RuntimeError most often, but not always
            raise ModelError(f"OpenVINO {openvino.__version__} cannot load it: {error_line(error)}") from error
        self._all = _OfEachSize(graph, options)
        self._first = self._all if len(graph.outputs) == 1 else _OfEachSize(_first_only(graph), options)
        return_freed_memory()

    def run(self, *arrays: Floats) -> Floats:
        return self._outputs(self._first, arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        return self._outputs(self._all, arrays)

    def _outputs(self, graphs: _OfEachSize, arrays: tuple[Floats, ...]) -> tuple[Floats, ...]:
        left_out = self._inputs - len(arrays)
        given = [*arrays, *self._defaults[len(self._defaults) - left_out :]]
        assert len(given) == self._inputs
        try:
            # Of a request of its own: the outputs are its memory, and threads come and go.
            outputs = tuple(graphs.compiled(given).create_infer_request().infer(given, share_inputs=True).values())
        except Exception as error:
            raise failed_run(error, arrays) from error
        return outputs


def _openvino() -> Any:
    """Imported without its telemetry, which on every import writes into the home folder and calls a server.

    Without the package that does so, OpenVINO has a stub in its place. A program that imported OpenVINO before us
    has made its own choice.
    """
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # this is how Python says: not to be found
    try:
        import openvino
    except ImportError as error:
        advice = "pip install '.[openvino]' in img2img's checkout"
        raise ModelError(f"--runtime openvino needs one more package: {advice}") from error
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
    return openvino


@cache
def _core() -> Any:
    """One, kept for good: each lends the thread that makes it a stack for signals, and takes it back wherever it is
    destroyed, so that after a second one, or in another thread, the next Ctrl-C would crash the process (2026.4).
    """
    return _openvino().Core()


def _options(threads: int, precision: str | None) -> dict[str, Any]:
    streams = max(1, usable_cores() // threads)
    has_bf16 = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams * threads,
        "ENABLE_CPU_PINNING": False,  # the photos beside this one, and other programs, want these cores too
        "INFERENCE_PRECISION_HINT": precision or ("bf16" if has_bf16 else "f32"),
    }


def _make_inputs(graph: Any, openvino: Any) -> list[Floats]:
    """Turns the OPTIONAL constants of a graph into its last inputs; gives their values, for who leaves them out."""
    constants = {node.get_friendly_name(): node for node in graph.get_ops() if node.get_type_name() == "Constant"}
    values = []
    for constant in (constants[name] for name in OPTIONAL if name in constants):
        values.append(constant.get_data().copy())
        given = openvino.op.Parameter(constant.get_output_element_type(0), constant.get_output_partial_shape(0))
        for target in constant.output(0).get_target_inputs():
            target.replace_source_output(given.output(0))
        graph.add_parameters([given])
    graph.validate_nodes_and_infer_types()
    return values


def _first_only(graph: Any) -> Any:
    """A copy that does not compute what only its further outputs need: OpenVINO computes all that a graph gives."""
    first = graph.clone()
    for result in first.get_results()[1:]:
        first.remove_result(result)
    return first


def _fold_constants(graph: Any) -> None:
    """Makes float32 of kernels stored in few bits, here once rather than whenever the graph is compiled.

    That is also for their sake: of int8 kernels one stream sometimes sees those that another has not finished, and
    every result is then wrong (in 2026.4).
    """
    from openvino.passes import ConstantFolding, Manager

    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(graph)
