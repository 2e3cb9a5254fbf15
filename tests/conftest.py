"""What several test files share: a model file, photos drawn by code, and processes that end with their test."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pytest
import tiny_model as tiny
import tiny_steered as steered
import typer.main
import typer.testing
from hypothesis import HealthCheck, settings
from PIL import Image, ImageOps
from typer.testing import CliRunner

if TYPE_CHECKING:  # a test of the converting half imports no torch
    from onnx import ModelProto
    from torch import nn

# Networks this small are slower on several cores, and on busy ones ten times: a thread that waits, spins.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it to 80 in its processes: tables are as wide as where none is set
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # also for a test that imports ONNX Runtime by itself
# The tests start img2img by the hundred: what is compiled is kept, where else each process compiles it all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no fault of what is tested: Hypothesis counts an example that takes 0.2 s as a failure otherwise.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# Where a run decides about others' work it draws the same examples each time; elsewhere they are new ones.
settings.register_profile("ci", settings.get_profile("any machine"), derandomize=True)

DrawPhoto = Callable[..., Path]
MakeFiles = Callable[..., Path]
Fitting = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # pytest-xdist's own order: first the files of many tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with most slow tests go first, so that no worker is left alone with one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session", autouse=True)
def no_added_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Whatever models their user has added, the tests see none, and add none there."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("IMG2IMG_HOME", str(home))
        yield home


@pytest.fixture(scope="session", autouse=True)
def commands_once() -> Iterator[None]:
    """Typer puts the application together for every call of a test: once is enough, nothing changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that colours everything orange (a = 22, b = 44)."""
    return tiny.write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny.tiny_model(0.2, 0.4))


@pytest.fixture(scope="session")
def steered_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that colours most things orange, and can be steered to blue, green and red."""
    return steered.write_steered_model(tmp_path_factory.mktemp("model") / "steered.onnx")


@pytest.fixture
def draw_photo() -> DrawPhoto:
    """`draw_photo(path, size=(48, 32), mode="L")` saves a grey ramp there and returns the path."""

    def draw(path: Path, size: tuple[int, int] = (48, 32), mode: str = "L") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize(size).convert(mode).save(path)
        return path

    return draw


@pytest.fixture(scope="session")
def colour_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of seven small photos of soft colours, to train on."""
    folder = tmp_path_factory.mktemp("colour_photos")
    rng = np.random.default_rng(0)
    for index in range(7):
        colours = rng.integers(0, 256, (4, 5, 3), np.uint8)
        Image.fromarray(colours).resize((56, 48), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def two_sets(colour_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos in two folders, which every recipe can train on: two classes to some, two domains to others."""
    folder = tmp_path_factory.mktemp("two_sets")
    for index, path in enumerate(sorted(colour_photos.iterdir())):
        half = folder / ("trainA", "trainB")[index % 2]
        half.mkdir(exist_ok=True)
        shutil.copy(path, half)
    return folder


@pytest.fixture(scope="session")
def sides(colour_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos as the inputs of pairs, and their negatives as the targets, in two folders."""
    folder = tmp_path_factory.mktemp("sides")
    for path in sorted(colour_photos.iterdir()):
        for side, change in (("trainA", lambda image: image), ("trainB", ImageOps.invert)):
            (folder / side).mkdir(exist_ok=True)
            with Image.open(path) as image:
                change(image.convert("RGB")).save(folder / side / path.name)
    return folder


@pytest.fixture(scope="session")
def fitting(two_sets: Path, sides: Path) -> Fitting:
    """Data that a recipe of the table can train on, by its name."""
    from img2img.recipes import RECIPES

    return lambda recipe: sides if RECIPES[recipe].paired else two_sets


@pytest.fixture(scope="session")
def cyclegan_run(two_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of a tiny cyclegan whose discriminators have spectral norm."""
    from tiny_run import TINY, request

    from img2img.training.start import start

    folder = tmp_path_factory.mktemp("runs") / "run"
    start(request(two_sets, folder, "cyclegan", steps=2, settings=(*TINY["cyclegan"], "spectral_norm=true"))).train()
    return folder


@pytest.fixture(scope="session")
def graphs_once() -> Iterator[None]:
    """The exporter, which takes most of an export's time, is asked once for each network, weights and all."""
    from img2img.export import onnx_graph

    make, known = onnx_graph._exported, {}

    def once(network: "nn.Module", *asked: Any) -> "ModelProto":
        key = (*_described(network), repr(asked))
        if key not in known:
            known[key] = make(network, *asked)
        return deepcopy(known[key])  # the caller changes it

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_graph, "_exported", once)
        yield


def _described(network: "nn.Module") -> Iterator[str | bytes]:
    for name, module in network.named_modules():
        plain = {key: value for key, value in vars(module).items() if not key.startswith("_")}
        yield f"{name}: {type(module)} {plain}"
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        yield name
        yield tensor.detach().numpy().tobytes()


@pytest.fixture(scope="session")
def exported_cyclegan(cyclegan_run: Path, graphs_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a2b.onnx, b2a.onnx, critic.onnx and all.safetensors, written by the command."""
    from img2img.cli.app import app

    folder = tmp_path_factory.mktemp("models")
    words = ["-o", "a2b.onnx", "--critic", "critic.onnx", "--all-weights", "all.safetensors"]
    paths = [word if word.startswith("-") else str(folder / word) for word in words]
    result = CliRunner().invoke(app, ["export", str(cyclegan_run), *paths])
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert sum(line.startswith("parity of critic at 1 x 3 x ") for line in lines) == 4
    assert [line.partition(": ")[0] for line in lines[-2:]] == [f"{folder}/critic.onnx", f"{folder}/all.safetensors"]
    return folder


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeFiles:
    """`files("in/a.jpg", ...)` makes one-byte files in a temporary folder, which is the current one."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> Path:
        for name in names:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path

    return make


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as at a terminal, also where the tests run as a shell's background job, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class StartProcess(Protocol):
    """Starts `words`; `env` comes on top of this process's, and both streams are pipes where nothing else is said."""

    def __call__(
        self,
        words: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] = ...,
        stdout: int = ...,
        stderr: int = ...,
    ) -> subprocess.Popen[str]: ...


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the library says while it works, which the command line shows."""
    caplog.set_level("INFO", "img2img")
    return caplog


@pytest.fixture
def start_process(ctrl_c: None) -> Iterator[StartProcess]:
    """How a test starts a process that it stops: it hears Ctrl-C, and it ends with the test, its workers too.

    A child ignores what its parent ignores, and only that: with `ctrl_c` it begins as at a terminal.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        words: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] = {},
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        environment = {**os.environ, **env}
        process = subprocess.Popen(
            words, cwd=cwd, env=environment, stdout=stdout, stderr=stderr, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:  # closes the pipes and waits
            kill_group(process)


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kills what leads a session of its own, and all that it started there."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
