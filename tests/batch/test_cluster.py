"""batch/engines/cluster.py: a batch on a real Ray cluster comes out as on one machine, whatever dies on the way."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import DrawPhoto, StartProcess
from PIL import Image

from img2img.batch.engines import cluster
from img2img.batch.engines.cluster import FEWEST, Crew, batches, run_on_ray, sigterm_kept
from img2img.batch.engines.cluster_worker import Order, convert_batch
from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Job
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import Colorizing, FilmConverter, PhotoConverter, Task
from img2img.errors import Img2ImgError, ModelError
from img2img.inference.runtimes.execution import Execution
from img2img.photo import Photo
from img2img.photo.metadata.provenance import Provenance

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Faulty:
    """Colours as `model` does, slowly; a photo's width says what befalls it. Each process leaves its node's name.

    Nothing is coloured before `at_work` nodes have left theirs.
    """

    model: str
    nodes: str
    pause: float = 0.0
    sha: str = "one"
    dies_at: int = 0
    fails_at: int = 0
    mistaken_at: int = 0
    execution: Execution = Execution()
    least: float = 0.0
    at_work: int = 0

    def open(self, threads: int) -> PhotoConverter:
        import ray

        Path(self.nodes, ray.get_runtime_context().get_node_id()).touch()
        opened = Colorizing(self.model).open(threads)

        def faulty(photo: Photo) -> Photo:
            while len(os.listdir(self.nodes)) < self.at_work:  # noqa: PTH208
                time.sleep(0.02)
            time.sleep(self.pause)
            if photo.width == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if photo.width == self.fails_at:
                raise ModelError("tiny.onnx: gave no colours")
            if photo.width == self.mistaken_at:
                raise KeyError("colour")
            return opened.convert(photo)

        return PhotoConverter(faulty, provenance=opened.provenance)

    def provenance(self) -> Provenance:
        return Colorizing(self.model).provenance()

    def open_for_films(self, threads: int) -> FilmConverter:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        return {"model": self.sha}


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[Any]:
    """A cluster of one node with one core, to which nodes can be added; this process is connected to it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("PYTHONPATH", str(CHECKOUT))
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the nodes cannot import the tests
        with sigterm_kept():
            nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
            ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
            yield nodes
            ray.shutdown()
            nodes.shutdown()  # type: ignore[no-untyped-call, unused-ignore]


def test_sigterm_does_again_what_it_did() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_kept():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray takes it
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def jobs(tmp_path: Path, draw_photo: DrawPhoto) -> list[Job]:
    """20 grey PNG files of widths 40 to 59, to be written into sub-folders that do not exist."""
    return [
        Job(draw_photo(tmp_path / "in" / f"{n}.png", (40 + n, 32)), tmp_path / "out" / str(n % 2) / f"{n}.png")
        for n in range(20)
    ]


@pytest.fixture
def work(tmp_path: Path, tiny_model: Path) -> Faulty:
    (tmp_path / "nodes").mkdir()
    return Faulty(str(tiny_model), str(tmp_path / "nodes"))


def told(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    """By the photo's name, without the time it took; each photo once."""
    listed = [replace(each, seconds=0.0) for each in outcomes]
    by_name = {each.source.stem: each for each in listed}
    assert len(by_name) == len(listed)
    return by_name


def results(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def here(jobs: Iterable[Job], work: Task) -> Iterator[Outcome]:
    return run_jobs(jobs, work.open(1), workers=2)


# What needs no cluster


def stems(batch: list[Job] | Outcome) -> list[str]:
    assert isinstance(batch, list)
    return [job.source.stem for job in batch]


def test_batches_end_at_a_number_of_photos_or_of_bytes_and_are_made_when_asked_for() -> None:
    taken = []

    def jobs(sizes: Iterable[int]) -> Iterator[Job]:
        for n, size in enumerate(sizes):
            taken.append(n)
            yield Job(Path(f"{n}.png"), Path(f"{n}.jpg"), content=bytes(size))

    made = batches(jobs([0, 0, 0, 9, 1, 30, 0]), most=3, most_bytes=10)
    assert stems(next(made)) == ["0", "1", "2"]
    assert taken == [0, 1, 2]
    assert [stems(batch) for batch in made] == [["3", "4"], ["5"], ["6"]]
    assert list(batches([], most=3)) == []


def test_what_is_known_already_is_in_no_batch() -> None:
    first, second, third = (Job(Path(f"{n}.png"), Path(f"{n}.jpg")) for n in range(3))
    known = Outcome(Path("a.zip"), None, "failed", error="damaged")
    assert list(batches([first, known, second, third, known], most=2)) == [known, [first, second], known, [third]]


@pytest.mark.parametrize(
    ("crew", "threads", "in_flight", "in_batch"),
    [
        (Crew(2), 1, 4, 8),
        (Crew(100, queued=0), 1, 100, 25),
        (Crew(4, cpus=16, gpus=1), 16, 8, 128),
        (Crew(999), 1, 1998, 64),
    ],
)
def test_large_crews_get_large_batches(crew: Crew, threads: int, in_flight: int, in_batch: int) -> None:
    assert (crew.threads, crew.in_flight, crew.in_batch) == (threads, in_flight, in_batch)


class Nodes:
    """What `_crew` asks of Ray, for machines of given (CPUs, GPUs)."""

    def __init__(self, *machines: tuple[int, int], cuda: bool = True) -> None:
        self._machines, self._cuda = machines, cuda

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"Alive": True, "Resources": {"CPU": cpu, **({"GPU": gpu} if gpu else {})}} for cpu, gpu in self._machines
        ]

    def remote(self, **options: Any) -> Any:
        return lambda function: type("Task", (), {"remote": staticmethod(lambda: self._cuda)})

    def get(self, value: bool) -> bool:
        return value


@pytest.mark.parametrize(
    ("nodes", "device", "workers", "crew"),
    [
        (Nodes((4, 0), (8, 0)), "auto", None, Crew(12)),
        (Nodes((4, 0), (8, 0)), "auto", 3, Crew(3, queued=0)),
        (Nodes((4, 0), (8, 0)), "auto", 24, Crew(24, cpus=0.5, queued=0)),
        (Nodes((4, 0), (16, 2)), "auto", None, Crew(2, cpus=8, gpus=1)),
        (Nodes((4, 0), (16, 2)), "auto", 8, Crew(1, cpus=8, gpus=1, queued=0)),
        (Nodes((4, 0), (16, 2)), "cuda", 1, Crew(1, cpus=1, gpus=1, queued=0)),
        (Nodes((4, 0), (16, 2)), "cpu", None, Crew(20)),
        (Nodes((4, 0), (16, 2), cuda=False), "auto", None, Crew(20)),
        (Nodes((0, 0)), "auto", None, Crew(1)),
    ],
)
def test_gpus_get_their_share_of_the_cores_where_they_can_be_used(
    nodes: Nodes, device: str, workers: int | None, crew: Crew
) -> None:
    assert cluster._crew(nodes, Colorizing(execution=Execution(device)), workers) == crew


def test_cuda_without_a_gpu_in_the_cluster_is_an_error_and_no_endless_wait() -> None:
    with pytest.raises(ModelError, match="no machine of this Ray cluster has a GPU"):
        cluster._crew(Nodes((4, 0)), Colorizing(execution=Execution("cuda")), None)


def test_without_the_extra_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, jobs: list[Job]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Img2ImgError, match=r"pip install '\.\[ray\]'"):
        list(run_on_ray(jobs, Colorizing(str(tiny_model))))


def test_a_cluster_that_does_not_answer_is_an_error_at_once(tiny_model: Path) -> None:
    pytest.importorskip("ray")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and not listening
        address = "127.0.0.1:{1}".format(*unused.getsockname())
        with pytest.raises(Img2ImgError, match=f"no Ray cluster at {address}: .*ray start --head"):
            list(run_on_ray([], Colorizing(str(tiny_model)), address=address))


def test_another_model_on_a_machine_ends_the_batch_there(jobs: list[Job], tiny_model: Path) -> None:
    order = Order.here(Colorizing(str(tiny_model)), PhotoOptions())
    elsewhere = replace(order, host="far away", settings='{"model": "older"}')
    error = convert_batch(elsewhere, jobs, 1)
    assert isinstance(error, ModelError)
    assert "the model here is another than on far away" in str(error)
    assert not jobs[0].target.parent.exists()


def test_relative_paths_start_from_the_folder_of_the_order_on_every_machine(
    jobs: list[Job], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    order = Order.here(Colorizing(str(tiny_model)), PhotoOptions())
    monkeypatch.chdir(tmp_path.parent)
    done = convert_batch(order, [Job(Path("in/0.png"), Path("out/0.png"))], 1)
    assert isinstance(done, list)
    (outcome,) = done
    assert (outcome.status, outcome.source) == ("done", Path("in/0.png"))
    assert (tmp_path / "out/0.png").is_file()
    nowhere = replace(order, folder=str(tmp_path / "nowhere"))
    error = convert_batch(nowhere, [Job(Path("in/0.png"), Path("out/1.png"))], 1)
    assert "on a disk that all machines share" in str(error)
    done = convert_batch(nowhere, jobs[:1], 1)
    assert isinstance(done, list)
    assert [each.status for each in done] == ["done"]


# On a cluster


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_outcomes_and_results_are_those_of_one_machine(jobs: list[Job], tiny_model: Path, tmp_path: Path) -> None:
    jobs[3].source.write_bytes(b"this is a letter, not a photo")
    jobs[5].source.unlink()
    jobs[7].target.mkdir(parents=True)
    jobs[9] = replace(jobs[9], source=tmp_path / "photos.zip" / "9.png", content=jobs[9].source.read_bytes())
    work = Colorizing(str(tiny_model), strength=0.5)
    expected, files = told(here(jobs, work)), results(tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.png"):
        path.unlink() if path.is_file() else None
    assert told(run_on_ray(jobs, work)) == expected
    assert results(tmp_path / "out") == files
    assert sum(each.status == "failed" for each in expected.values()) == 3


@pytest.mark.slow
def test_a_node_that_dies_half_way_loses_no_photo(
    ray_cluster: Any, work: Faulty, tmp_path: Path, draw_photo: DrawPhoto
) -> None:
    photos = [draw_photo(tmp_path / "in" / f"{n:03}.jpg", (40 + n % 7, 32)) for n in range(120)]
    list(here([Job(photo, tmp_path / "here" / photo.name) for photo in photos], Colorizing(work.model)))
    jobs = [Job(photo, tmp_path / "there" / photo.name) for photo in photos]
    node = ray_cluster.add_node(num_cpus=1)
    outcomes, left = [], {node}
    for outcome in run_on_ray(jobs, replace(work, pause=0.05, at_work=2)):
        outcomes.append(outcome)
        if len(outcomes) >= 40 and left:
            ray_cluster.remove_node(left.pop(), allow_graceful=False)
    assert not left
    assert {each.status for each in told(outcomes).values()} == {"done"}
    assert len(outcomes) == 120
    assert results(tmp_path / "there") == results(tmp_path / "here")


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_a_photo_that_kills_its_process_fails_alone(jobs: list[Job], work: Faulty) -> None:
    found = told(run_on_ray(jobs, replace(work, dies_at=43)))
    assert {name for name, each in found.items() if each.status == "failed"} == {"3"}
    assert "ended 3 times" in str(found["3"].error)
    assert len(found) == 20
    assert not jobs[3].target.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_model_that_fails_ends_the_batch_with_its_own_error(jobs: list[Job], work: Faulty) -> None:
    with pytest.raises(ModelError, match=r"^tiny\.onnx: gave no colours$"):
        list(run_on_ray(jobs, replace(work, fails_at=45)))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_mistake_of_ours_fails_one_photo(jobs: list[Job], work: Faulty) -> None:
    found = told(run_on_ray(jobs, replace(work, mistaken_at=46)))
    assert [name for name, each in found.items() if each.status == "failed"] == ["6"]
    assert "KeyError: 'colour'" in str(found["6"].error)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_jobs_are_taken_as_there_is_room(jobs: list[Job], work: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "FEWEST", 2)
    monkeypatch.setattr(cluster, "_crew", lambda *asked: Crew(1))
    taken: list[Job] = []

    def noted() -> Iterator[Job]:
        for job in jobs:
            taken.append(job)
            yield job

    outcomes = run_on_ray(noted(), replace(work, pause=0.1))
    assert taken == []
    next(outcomes)
    assert len(taken) <= 4  # two batches of two: one in hand, one that waits
    assert len(list(outcomes)) == 19


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_a_caller_who_stops_early_leaves_nothing_running(jobs: list[Job], work: Faulty) -> None:
    outcomes = run_on_ray(jobs, replace(work, pause=0.1))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    counts = [-1]
    while (count := sum(job.target.exists() for job in jobs)) != counts[-1]:  # those in hand are finished
        counts.append(count)
        time.sleep(1.5)
    assert count < 20


INTERRUPTED = """
import sys
from pathlib import Path
from img2img.batch.engines.cluster import run_on_ray
from img2img.batch.job import Job
from img2img.batch.task import Colorizing
photos = sorted(Path("in").iterdir())
jobs = (Job(photos[n % len(photos)], Path("out", f"{n}.png")) for n in range(100_000))
try:
    for outcome in run_on_ray(jobs, Colorizing(sys.argv[1]), workers=2):
        print(outcome.target.name, flush=True)
except KeyboardInterrupt:
    import ray
    sys.exit("still connected" if ray.is_initialized() else 130)
"""


@pytest.mark.slow
def test_ctrl_c_leaves_whole_photos_and_stops_a_ray_of_its_own(
    jobs: list[Job], tiny_model: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    environment = {"PYTHONPATH": str(CHECKOUT), "RAY_AUTH_MODE": "disabled"}
    process = start_process([sys.executable, "-c", INTERRUPTED, str(tiny_model)], cwd=tmp_path, env=environment)
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(40)]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
    rest, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (130, "")
    told_of = set("".join(first).split()) | set(rest.split())
    written = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert told_of <= set(written)
    assert len(written) - len(told_of) <= 4 * FEWEST  # two processes, each with a batch in hand and one that waits
    for path in written.values():
        with Image.open(path) as result:
            result.load()
