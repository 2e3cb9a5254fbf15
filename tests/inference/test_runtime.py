"""The runtimes: ONNX Runtime computes the graph, and a device that is not there is named."""

import importlib.util
import json
import os
import struct
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tiny_model import CARD, tiny_model, write_tiny_model

from img2img.errors import ModelError, UsageError
from img2img.inference.runtimes import onnx_runtime
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.open_runtime import open_runtime
from img2img.inference.runtimes.runtime import Runtime
from img2img.machine import usable_cores
from img2img.model_file import TensorSpec, read_model

L = np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(1, 1, 64, 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny.onnx", tiny_model(0.1, -0.2, slope=0.5))


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OnnxRuntime, "has_cuda", staticmethod(lambda: False))


def open_cuda(path: Path) -> Runtime:
    content, card = read_model(path)
    return open_runtime(path, content, card, Execution("cuda"))


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_graph_is_computed(threads: int) -> None:
    output = OnnxRuntime(tiny_model(0.1, -0.2, slope=0.5), device="cpu", threads=threads).run(L)
    np.testing.assert_allclose(output[:, 0], 0.1 + 0.5 * L[:, 0], atol=1e-6)
    np.testing.assert_allclose(output[:, 1], -0.2 + 0.5 * L[:, 0], atol=1e-6)


def test_the_files_bytes_are_let_go() -> None:
    model = tiny_model(0.1, -0.2, slope=0.5)
    holders = sys.getrefcount(model)
    runtime = OnnxRuntime(model, device="cpu")
    assert sys.getrefcount(model) == holders
    assert runtime.run(L).shape == (1, 2, *L.shape[2:])


def added(required: str, optional: str) -> bytes:
    """A graph without a card: the sum of an input and of an optional one, which is 2 if not given; and that one."""
    graph = helper.make_graph(
        [helper.make_node("Add", [required, optional], ["sum"]), helper.make_node("Identity", [optional], ["same"])],
        "added",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in (optional, required)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("sum", "same")],
        [helper.make_tensor(optional, TensorProto.FLOAT, [1], [2.0])],
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    )


@pytest.mark.parametrize("keeps_memory", [True, False])
def test_optional_inputs_come_last_and_may_be_left_out(monkeypatch: pytest.MonkeyPatch, keeps_memory: bool) -> None:
    monkeypatch.setattr(onnx_runtime, "LARGE", 0)
    graph = OnnxRuntime(added("x", "frozen"), device="cpu", threads=1, keeps_memory=keeps_memory)
    one, five = np.ones(1, np.float32), np.full(1, 5, np.float32)
    assert [float(each[0]) for each in graph.run_all(one)] == [3, 2]
    assert [float(each[0]) for each in graph.run_all(one, five)] == [6, 5]
    assert float(graph.run(one, five)[0]) == 6


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_card_does_not_disturb_the_graph(path: Path, device: str) -> None:
    content, card = read_model(path)
    assert open_runtime(path, content, card, Execution(device, threads=1)).run(L).shape == (1, 2, 64, 32)


def test_unknown_device_lists_the_devices(path: Path) -> None:
    content, card = read_model(path)
    with pytest.raises(UsageError, match="no device 'tpu': choose one of auto, cpu, cuda"):
        open_runtime(path, content, card, Execution("tpu"))


def test_ctrl_c_while_onnx_runtime_loads_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "onnxruntime":
                raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(KeyboardInterrupt):
        OnnxRuntime.has_cuda()


def test_junk_is_no_model() -> None:
    with pytest.raises(ModelError, match="cannot load it"):
        OnnxRuntime(b"junk", device="cpu", threads=1)


def test_input_that_does_not_fit_is_named() -> None:
    with pytest.raises(ModelError, match=r"\(1, 3, 8, 8\)"):
        OnnxRuntime(tiny_model(0, 0), device="cpu", threads=1).run(np.zeros((1, 3, 8, 8), np.float32))


def as_many_as_asked() -> bytes:
    """A graph without a card: so many zeros as its input says."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["count"], ["shape"], to=TensorProto.INT64),
            helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        ],
        "as_many_as_asked",
        [helper.make_tensor_value_info("count", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("zeros", TensorProto.FLOAT, ["N"])],
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    )


@pytest.mark.parametrize("keeps_memory", [True, False])
def test_too_large_an_input_is_not_the_models_fault(keeps_memory: bool) -> None:
    graph = OnnxRuntime(as_many_as_asked(), device="cpu", threads=1, keeps_memory=keeps_memory)
    assert graph.run(np.full(1, 3, np.float32)).shape == (3,)
    with pytest.raises(MemoryError, match=r"more memory than there is for input \(1,\)"):
        graph.run(np.full(1, 2.0**50, np.float32))


def test_bad_model_says_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        OnnxRuntime(b"junk", device="cpu", threads=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("without_cuda")
def test_cuda_without_torch_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=r"tiny\.onnx: .*install onnxruntime-gpu, or PyTorch: pip install '\.\[train\]'"
    ):
        open_cuda(path)


@pytest.mark.usefixtures("without_cuda")
def test_cuda_without_a_gpu_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match=r"no GPU \(PyTorch"):
        open_cuda(path)


@pytest.mark.usefixtures("without_cuda")
def test_cuda_through_torch_needs_the_safetensors(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ModelError, match=r"tiny\.safetensors: not there"):
        open_cuda(path)


def write_safetensors(path: Path, **tensors: np.ndarray) -> Path:
    """The format by hand: the header's length, the header, the data."""
    from hashlib import sha256

    data = b"".join(values.astype("<f4").tobytes() for values in tensors.values())
    header: dict[str, Any] = {"__metadata__": {"img2img": replace(CARD, sha256=sha256(data).hexdigest()).to_json()}}
    start = 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": values.shape,
            "data_offsets": [start, start + 4 * values.size],
        }
        start += 4 * values.size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_torch_computes_what_onnx_runtime_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from img2img.inference.runtimes import torch_runtime

    monkeypatch.setattr(torch_runtime, "build_exported", lambda card: torch.nn.Conv2d(1, 2, 1))
    weight, bias = np.array([0.5, 0.5]).reshape(2, 1, 1, 1), np.array([0.1, -0.2])
    path = write_safetensors(tmp_path / "tiny.safetensors", weight=weight, bias=bias)
    theirs = torch_runtime.TorchRuntime(path, CARD, device="cpu").run(L)
    ours = OnnxRuntime(tiny_model(0.1, -0.2, slope=0.5), device="cpu", threads=1).run(L)
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_threads_do_not_mix_up_their_statistics_in_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second pass, which starts in the middle of the first, brings statistics of its own."""
    torch = pytest.importorskip("torch")
    from img2img.inference.runtimes import torch_runtime

    class Interrupted(torch.nn.Module):
        second: Thread | None = None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.second and not self.second.is_alive():
                self.second.start()
                self.second.join(0.2)
            return x

    network = torch.nn.Sequential(Interrupted(), torch.nn.InstanceNorm2d(1))
    monkeypatch.setattr(torch_runtime, "build_exported", lambda card: network)
    statistics = TensorSpec("statistics", (1, 2, 1), "means, variances", (-9, 9))
    card = replace(CARD, recipe="cyclegan", outputs=(*CARD.outputs, statistics))
    shared = torch_runtime.TorchRuntime(write_safetensors(tmp_path / "tiny.safetensors"), card, device="cpu")
    frozen = [np.array([[[mean], [1]]], np.float32) for mean in (0.5, -0.5)]
    alone = shared.run(L, frozen[0])
    network[0].second = Thread(target=shared.run, args=(L, frozen[1]))
    np.testing.assert_array_equal(shared.run(L, frozen[0]), alone)
    network[0].second.join()


def test_weights_that_do_not_fit_the_recipe_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from img2img.inference.runtimes import torch_runtime

    monkeypatch.setattr(torch_runtime, "build_exported", lambda card: torch.nn.Conv2d(1, 3, 1))
    path = write_safetensors(tmp_path / "tiny.safetensors", weight=np.zeros((2, 1, 1, 1)), bias=np.zeros(2))
    with pytest.raises(ModelError, match=r"tiny\.safetensors: does not fit recipe colorizer"):
        torch_runtime.TorchRuntime(path, CARD, device="cpu")


def test_usable_cores_are_those_of_this_process() -> None:
    expected = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert usable_cores() == expected
