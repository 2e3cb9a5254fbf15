"""Photos of several threads in one run: on the processor here, as on a GPU."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import ClassVar

import numpy as np
import pytest
from conftest import DrawPhoto

from img2img.batch.engines.engine import LocalEngine
from img2img.batch.job import Job
from img2img.batch.task import Colorizing
from img2img.errors import ModelError
from img2img.inference.runtimes import open_runtime
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.joined_runs import MOST, JoinedRuns
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.runtime import Runtime
from img2img.lab import Floats
from img2img.model_file import find_model, for_several, read_model
from img2img.photo import read_photo


class Doubling:
    """A runtime that waits until it may begin, notes how many came together, and refuses what is above 100."""

    def __init__(self) -> None:
        self.begin = Event()
        self.seen: list[tuple[int, ...]] = []

    def run(self, *arrays: Floats) -> Floats:
        return self.run_all(*arrays)[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        assert self.begin.wait(120)
        self.seen.append(arrays[0].shape)
        if arrays[0].max() > 100:
            raise ModelError("above 100")
        return 2 * arrays[0], sum(arrays)  # type: ignore[return-value]


def filled(value: float, side: int = 2) -> Floats:
    return np.full((1, 1, side, side), value, np.float32)


def asked_at_once(
    joined: JoinedRuns, doubling: Doubling, runs: Sequence[tuple[Floats, ...]]
) -> list[Floats | ModelError]:
    """What each of these runs gives: the first begins once all others wait."""

    def outcome(arrays: tuple[Floats, ...]) -> Floats | ModelError:
        try:
            return joined.run(*arrays)
        except ModelError as error:
            return error

    with ThreadPoolExecutor(len(runs)) as pool:
        first = pool.submit(outcome, runs[0])
        until(lambda: joined._running.locked() and not joined._waiting)
        others = [pool.submit(outcome, arrays) for arrays in runs[1:]]
        until(lambda: len(joined._waiting) == len(runs) - 1)
        doubling.begin.set()
        return [future.result(120) for future in (first, *others)]


def until(holds: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError


def test_runs_that_wait_go_together_by_size_and_each_gets_its_own() -> None:
    doubling = Doubling()
    runs = [(filled(n, side=2 + n % 2),) for n in range(9)]
    results = asked_at_once(JoinedRuns(doubling), doubling, runs)
    for n, result in enumerate(results):
        np.testing.assert_array_equal(result, filled(2 * n, side=2 + n % 2))
    assert sorted(doubling.seen) == [(1, 1, 2, 2), (4, 1, 2, 2), (4, 1, 3, 3)]


def test_no_run_has_more_photos_than_it_may() -> None:
    doubling = Doubling()
    asked_at_once(JoinedRuns(doubling), doubling, [(filled(n),) for n in range(MOST + 4)])
    assert [shape[0] for shape in doubling.seen] == [1, MOST, 3]


def test_runs_with_other_optional_inputs_go_apart() -> None:
    doubling = Doubling()
    runs = [(filled(1), np.full(1, n // 4, np.float32)) for n in range(8)]
    asked_at_once(JoinedRuns(doubling), doubling, runs)
    assert sorted(shape[0] for shape in doubling.seen) == [1, 3, 4]


def test_run_that_fails_fails_alone() -> None:
    doubling = Doubling()
    results = asked_at_once(JoinedRuns(doubling), doubling, [(filled(value),) for value in (1, 2, 101, 4)])
    assert isinstance(results[2], ModelError)
    for value, result in ((1, results[0]), (2, results[1]), (4, results[3])):
        np.testing.assert_array_equal(result, filled(2 * value))


def test_colorizer_takes_several_photos_as_it_takes_each() -> None:
    content, _ = read_model(find_model("colorizer"))
    one, several = (OnnxRuntime(graph, device="cpu", threads=1) for graph in (content, for_several(content)))
    rows = np.linspace(-1, 1, 64 * 96, dtype=np.float32).reshape(1, 1, 64, 96)
    photos = np.concatenate([rows, rows[..., ::-1], np.sin(9 * rows)])
    each = [one.run_all(photo[None]) for photo in photos]
    for output, expected in zip(several.run_all(photos), zip(*each, strict=True), strict=True):
        np.testing.assert_allclose(output, np.concatenate(expected), atol=1e-5)


class StandIn(OnnxRuntime):
    """The processor in the place of a GPU; notes how many photos came together."""

    on_gpu = True
    seen: ClassVar[list[int]] = []

    def __init__(self, model: bytes, *, device: str, threads: int, **memory: bool) -> None:
        assert device == "cuda"
        super().__init__(model, device="cpu", threads=threads, **memory)

    @staticmethod
    def has_cuda() -> bool:
        return True

    def run(self, *arrays: Floats) -> Floats:
        self.seen.append(len(arrays[0]))
        return super().run(*arrays)


def colored(photos: Sequence[Path], folder: Path, device: str, *, jobs: int) -> list[Floats]:
    """As a folder is: the photos' pixels, by name, of `jobs` threads on one model."""
    engine = LocalEngine(Colorizing(execution=Execution(device)), jobs=jobs)
    asked = [Job(photo, folder / photo.name) for photo in photos]
    outcomes = list(engine.run(asked, count=len(asked)))
    assert {outcome.status for outcome in outcomes} == {"done"}
    return [read_photo(folder / photo.name).pixels.astype(np.float32) for photo in photos]


@pytest.mark.slow
def test_folder_in_a_gpus_batches_comes_out_as_on_the_processor_to_a_level(
    draw_photo: DrawPhoto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [(48 + 40 * (n % 2), 48 + n) for n in range(12)]
    photos = [draw_photo(tmp_path / f"{n:02}.png", size) for n, size in enumerate(sizes)]
    expected = colored(photos, tmp_path / "cpu", "cpu", jobs=1)
    monkeypatch.setattr(open_runtime, "OnnxRuntime", StandIn)
    for one, other in zip(expected, colored(photos, tmp_path / "gpu", "cuda", jobs=12), strict=True):
        assert np.abs(one - other).max() <= 1
    assert max(StandIn.seen) > 1


def test_translators_go_one_by_one_and_so_does_a_colorizer_where_no_gpu_is_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_runtime, "OnnxRuntime", StandIn)
    opened = {name: opened_on_cuda(name) for name in ("colorizer", "horse2zebra")}
    assert isinstance(opened["colorizer"], JoinedRuns)
    assert isinstance(opened["horse2zebra"], StandIn)
    monkeypatch.setattr(StandIn, "on_gpu", False)
    assert isinstance(opened_on_cuda("colorizer"), StandIn)


def opened_on_cuda(name: str) -> Runtime:
    path = find_model(name)
    return open_runtime.open_runtime(path, *read_model(path), Execution("cuda", threads=1))
