"""OpenVINO computes what ONNX Runtime does, to bfloat16's digits, with nothing written or sent on the side."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import DrawPhoto
from tiny_model import tiny_model, write_tiny_model

from img2img.batch.task import Colorizing, Translating
from img2img.errors import ModelError, UsageError
from img2img.export.onnx_graph import to_onnx
from img2img.inference import translator
from img2img.inference.colorizer import Colorizer
from img2img.inference.runtimes import openvino_runtime
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.open_runtime import open_runtime
from img2img.inference.runtimes.openvino_runtime import OpenVinoRuntime
from img2img.inference.translator import Translator
from img2img.lab import Floats
from img2img.model_file import find_model, read_model
from img2img.photo import Photo, read_photo
from img2img.recipes.cyclegan import CycleganRecipe

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="needs the extra 'openvino'")

CHECKOUT = Path(__file__).resolve().parents[2]
L = np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(1, 1, 64, 32)
BF16 = 2**-8
"""The largest relative error of one rounding to bfloat16."""


def in_a_process(program: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


def picture(height: int, width: int, channels: int = 3) -> Floats:
    """Waves, (1, channels, height, width) in [-1, 1]."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([np.sin(rows / (7 + c) + columns / (11 - c)) for c in range(channels)])[None].astype(np.float32)


def both(name: str, precision: str = "f32") -> tuple[OnnxRuntime, OpenVinoRuntime]:
    """A model that ships, on either runtime, one core a run."""
    return both_of(find_model(name).read_bytes(), precision)


def both_of(content: bytes, precision: str = "f32") -> tuple[OnnxRuntime, OpenVinoRuntime]:
    return OnnxRuntime(content, device="cpu", threads=1), OpenVinoRuntime(content, threads=1, precision=precision)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_graph_is_computed(threads: int) -> None:
    output = OpenVinoRuntime(tiny_model(0.1, -0.2, slope=0.5), threads=threads).run(L)
    np.testing.assert_allclose(output[:, 0], 0.1 + 0.5 * L[:, 0], atol=2 * BF16)
    np.testing.assert_allclose(output[:, 1], -0.2 + 0.5 * L[:, 0], atol=2 * BF16)


def test_float32_can_be_asked_for() -> None:
    output = OpenVinoRuntime(tiny_model(0.1, -0.2, slope=0.5), threads=1, precision="f32").run(L)
    np.testing.assert_allclose(output[:, 0], 0.1 + 0.5 * L[:, 0], atol=1e-6)


@pytest.mark.slow
def test_sizes_may_vary_from_run_to_run() -> None:
    onnx_runtime, openvino = both("colorizer")
    for height, width in ((64, 96), (96, 64), (32, 32), (64, 96)):
        small = picture(height, width, 1)
        np.testing.assert_allclose(openvino.run(small), onnx_runtime.run(small), atol=1e-5)


def test_bfloat16_costs_the_colorizer_less_than_one_step_of_ab_on_average() -> None:
    onnx_runtime, openvino = both("colorizer", "bf16")
    small = picture(128, 160, 1)
    difference = 110 * np.abs(openvino.run(small) - onnx_runtime.run(small))
    assert difference.mean() < 0.5
    assert difference.max() < 5


@pytest.mark.slow
def test_translators_statistics_are_given_and_taken() -> None:
    config = CycleganRecipe.Config(generator="separable", generator_channels=8, blocks=1)
    onnx_runtime, openvino = both_of(to_onnx(CycleganRecipe.exported_network(config).eval(), CycleganRecipe, config))
    whole = picture(96, 128)
    expected, statistics = onnx_runtime.run_all(whole)
    given, measured = openvino.run_all(whole)
    np.testing.assert_allclose(given, expected, atol=1e-3)
    np.testing.assert_allclose(measured, statistics, rtol=1e-3, atol=1e-3)
    part = np.ascontiguousarray(whole[:, :, :64, :64])
    frozen = openvino.run(part, statistics)
    np.testing.assert_allclose(frozen, onnx_runtime.run(part, statistics), atol=1e-3)
    assert np.abs(frozen - openvino.run(part)).max() > 0.01  # with its own statistics it is another picture


@pytest.mark.slow
def test_photo_in_tiles_is_the_same_on_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translator, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(translator, "TILE_SIDE", 96)
    values = np.moveaxis(picture(90, 130)[0], 0, 2)
    photo = Photo(np.rint(127.5 * (values + 1)).astype(np.uint8), "RGB")
    one, other = (
        Translator("horse2zebra", runtime=runtime, threads=1).convert(photo, size="native").pixels.astype(int)
        for runtime in ("onnxruntime", "openvino")
    )
    assert np.abs(one - other).mean() < 1.5  # of 255


def test_coloured_photo_is_the_same_on_both(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    photo = read_photo(draw_photo(tmp_path / "ramp.png", (120, 90)))
    one, other = (
        Colorizer(runtime=runtime, threads=1).convert(photo).pixels.astype(int)
        for runtime in ("onnxruntime", "openvino")
    )
    np.testing.assert_array_equal(one[..., 0], other[..., 0])  # luma is the photo's own
    assert np.abs(one - other).max() <= 3


def test_threads_share_one_and_get_their_own_results() -> None:
    runtime = OpenVinoRuntime(tiny_model(0.1, -0.2, slope=0.5), threads=1)
    inputs = [np.full((1, 1, 32 + 32 * (n % 3), 32), n / 32, np.float32) for n in range(32)]
    alone = [runtime.run(each) for each in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for expected, result in zip(alone, pool.map(runtime.run, inputs), strict=True):
                np.testing.assert_array_equal(result, expected)


def _worst_error_of_critics(threads: int, *, loads: int = 4, enough: float = np.inf) -> float:
    """The largest error in `loads` of a model with int8 kernels, as a share of what it says, several runs at a time.

    No more loads after `enough`.
    """
    seen = picture(64, 64)
    worst = 0.0
    for _ in range(loads):
        if worst > enough:
            break
        onnx_runtime, openvino = both("horse2zebra-critic")
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(openvino.run, [seen] * 6))
        expected = onnx_runtime.run(seen)
        worst = max(worst, *(np.abs(result / expected - 1).max() for result in results))
    return worst


@pytest.mark.slow
def test_int8_kernels_survive_several_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_runtime, "usable_cores", lambda: 2)
    assert _worst_error_of_critics(threads=3) < 1e-4


@pytest.mark.slow
def test_int8_kernels_that_are_not_folded_are_still_wrong_on_two_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO 2026.4's fault, a race that busy cores can hide: where it is never seen, folding is for speed alone."""
    monkeypatch.setattr(openvino_runtime, "usable_cores", lambda: 2)
    monkeypatch.setattr(openvino_runtime, "_fold_constants", lambda graph: None)
    if _worst_error_of_critics(threads=3, loads=20, enough=0.01) <= 0.01:
        pytest.skip("the race was not seen in 20 loads: the cores were busy, or OpenVINO is mended")


def test_each_size_is_compiled_once_and_the_sizes_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = OpenVinoRuntime(tiny_model(0.1, -0.2), threads=1)
    compiled: list[tuple[int, ...]] = []
    compile_anew = runtime._first._compiled

    def counted(arrays: list[Floats]) -> object:
        compiled.append(arrays[0].shape)
        return compile_anew(arrays)

    monkeypatch.setattr(runtime._first, "_compiled", counted)
    sizes = [np.zeros((1, 1, 32 * n, 32), np.float32) for n in range(1, openvino_runtime.KEPT + 2)]
    for array in (*sizes[:-1], *sizes[:-1], sizes[-1], sizes[1]):
        runtime.run(array)
    assert compiled == [array.shape for array in sizes]
    runtime.run(sizes[0])  # had to make room for the last
    assert compiled[len(sizes) :] == [sizes[0].shape]
    assert len(runtime._first._kept) == openvino_runtime.KEPT


def test_failed_run_leaves_the_next_one_whole() -> None:
    runtime = OpenVinoRuntime(tiny_model(0.1, -0.2, slope=0.5), threads=1)
    expected = runtime.run(L)
    with pytest.raises(ModelError):
        runtime.run(np.zeros((1, 3, 8, 8), np.float32))
    np.testing.assert_array_equal(runtime.run(L), expected)


def test_large_run_leaves_nothing_behind_and_the_next_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = OpenVinoRuntime(tiny_model(0.1, -0.2, slope=0.5), threads=1)
    expected = runtime.run(L)
    runtime._first._kept.clear()
    monkeypatch.setattr(openvino_runtime, "LARGE", 0)
    for _ in range(3):
        np.testing.assert_array_equal(runtime.run(L), expected)
    assert not runtime._first._kept


def test_critics_compute_in_float32(tmp_path: Path) -> None:
    third = tiny_model(1 / 3, 0)
    path = write_tiny_model(tmp_path / "critic.onnx", third, task="critic")
    content, card = read_model(path)
    output = open_runtime(path, content, card, Execution(threads=1, runtime="openvino")).run(L)
    assert output[0, 0, 0, 0] == np.float32(1 / 3)


def test_works_pass_the_runtime_on(tiny_model: Path) -> None:
    fast = Execution(runtime="fast")
    for work in (Colorizing(str(tiny_model), execution=fast), Translating("horse2zebra", execution=fast)):
        with pytest.raises(UsageError, match="no runtime 'fast': choose one of auto, onnxruntime, openvino"):
            work.open(1)
    opened = Colorizing(str(tiny_model), execution=Execution(runtime="openvino")).open(1)
    assert opened.convert(Photo(np.full((8, 8), 128, np.uint8), "L")).pixels.shape == (8, 8, 3)


def test_openvino_and_cuda_contradict_each_other(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="OpenVINO runs on the processor"):
        Colorizer(tiny_model, device="cuda", runtime="openvino")


def test_missing_package_says_what_to_install(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match=r"tiny\.onnx: --runtime openvino needs .*pip install '\.\[openvino\]'"):
        Colorizer(tiny_model, runtime="openvino")


def test_junk_is_no_model_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"OpenVINO .* cannot load it"):
        OpenVinoRuntime(b"junk", threads=1)
    assert capfd.readouterr() == ("", "")


def test_input_that_does_not_fit_is_named() -> None:
    with pytest.raises(ModelError, match=r"\(1, 3, 8, 8\)"):
        OpenVinoRuntime(tiny_model(0, 0), threads=1).run(np.zeros((1, 3, 8, 8), np.float32))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("threads", [1, 2])
def test_memory_that_runs_out_costs_one_photo(threads: int) -> None:
    program = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from img2img.inference.runtimes.openvino_runtime import OpenVinoRuntime\n"
        "from img2img.model_file import find_model\n"
        f"runtime = OpenVinoRuntime(find_model('colorizer').read_bytes(), threads={threads})\n"
        "small, large = (np.zeros((1, 1, side, side), np.float32) for side in (64, 8192))\n"
        "expected = runtime.run(small)\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (500 << 20),) * 2)\n"
        "for _ in range(2):\n"
        "    try: sys.exit(runtime.run(large).shape)\n"
        "    except MemoryError as error: print(error)\n"
        "    assert np.array_equal(runtime.run(small), expected)\n"
    )
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout == 2 * "the model needs more memory than there is for input (1, 1, 8192, 8192)\n"


@pytest.mark.slow
def test_ctrl_c_still_works_after_runtimes_came_and_went() -> None:
    """Each of OpenVINO's cores lends the thread a stack for signals, and takes it back in an order of its own."""
    program = (
        "import signal\n"
        "from img2img.inference.runtimes.openvino_runtime import OpenVinoRuntime\n"
        "from img2img.model_file import find_model\n"
        "first, second = (OpenVinoRuntime(find_model('colorizer').read_bytes(), threads=1) for _ in range(2))\n"
        "del first\n"
        "del second\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try: signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = in_a_process(program)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="signals and their stacks are others elsewhere")
def test_ctrl_c_still_crashes_after_two_cores_came_and_went() -> None:
    """OpenVINO 2026.4's fault; once this fails, one core need no longer be kept for good."""
    program = (
        "import signal\n"
        "from img2img.inference.runtimes.openvino_runtime import _openvino\n"
        "first, second = (_openvino().Core() for _ in range(2))\n"
        "for core in first, second: core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')\n"
        "del first, core\n"
        "del second\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try: signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = in_a_process(program)
    assert done.returncode < 0, done.stdout


@pytest.mark.slow
def test_nothing_is_written_into_the_home_folder_and_no_telemetry_loaded(tmp_path: Path, tiny_model: Path) -> None:
    program = (
        "import sys\n"
        "from img2img.inference.colorizer import Colorizer\n"
        f"Colorizer({str(tiny_model)!r}, runtime='openvino')\n"
        "assert 'openvino' in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry')]\n"
    )
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    environment = {**os.environ, **home, "PYTHONPATH": str(CHECKOUT)}
    for marker in ("CI", "TF_BUILD", "JENKINS_URL"):  # where its telemetry keeps quiet by itself
        environment.pop(marker, None)
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
