"""Several processes on one model: real ones, started by torchrun, joined by gloo on the CPU."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch
from conftest import Fitting, StartProcess
from tiny_run import TINY
from torch import Tensor, nn
from waiting import wait_beside

from img2img.errors import RunError
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import TrainState, load_latest
from img2img.saved_states import state_files
from img2img.training.processes import collective
from img2img.training.processes.batch_norm import SynchronisedBatchNorm, synchronise_batch_norm
from img2img.training.processes.collective import all_alive
from img2img.training.processes.distributed import OneProcess, SeveralProcesses, processes_from
from img2img.training.request import TrainingRequest
from img2img.training.start import start

THEN = "then"  # between two commands of FLOAT64
FLOAT64 = str(Path(__file__).parents[1] / "float64_img2img.py")
CHECKOUT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def words(recipe: str, data: Path, out: Path, *more: str) -> list[str]:
    tiny = [word for setting in TINY[recipe] for word in ("--set", setting)]
    return [
        "train", recipe, "--data", str(data), "--out", str(out), "--device", "cpu", *tiny, "--set", "batch_size=16",
        "--log-every", "10", *more,
    ]  # fmt: skip


def run(launcher: list[str], words: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*launcher, *words], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def largest_difference(a: TrainState, b: TrainState) -> float:
    """Over all weights and statistics, averaged ones too."""
    pairs = [(part[name], other[name]) for part, other in ((a.networks, b.networks), (a.ema, b.ema)) for name in part]
    return max(float((one.double() - two.double()).abs().max()) for one, two in pairs)


def test_process_that_nobody_started_as_one_of_several_is_alone() -> None:
    assert type(processes_from({})) is OneProcess
    assert type(processes_from({"RANK": "0", "WORLD_SIZE": "1"})) is OneProcess
    assert type(processes_from({"WORLD_SIZE": "4"})) is OneProcess
    second = processes_from({"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"})
    assert (second.rank, second.world, second.local_rank, second.leads) == (5, 8, 1, False)


def test_broken_connection_is_explained() -> None:
    with pytest.raises(RunError, match=r"process of the run died.*Connection closed by peer.*--resume"), all_alive():
        raise RuntimeError("Connection closed by peer [127.0.0.1]:1234")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> SeveralProcesses:
    """One of two processes, the other of which always has the same numbers."""
    monkeypatch.setattr(collective, "sum_over_processes", lambda values: values.detach() * 2)
    monkeypatch.setattr("img2img.training.processes.batch_norm.dist.get_world_size", lambda: 2)
    return SeveralProcesses(0, 2, 0)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 5), (6, 3, 5, 4), (6, 3, 2, 5, 4)])
def test_batch_norm_of_two_equal_halves_is_plain_batch_norm_of_the_whole(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    plain = kinds[len(shape)](3, eps=1e-3, momentum=0.3).double()
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    holder = nn.Sequential(kinds[len(shape)](3, eps=1e-3, momentum=0.3).double())
    holder[0].load_state_dict(plain.state_dict())
    synchronise_batch_norm(holder)
    assert isinstance(holder[0], SynchronisedBatchNorm)
    assert list(holder[0].state_dict()) == list(plain.state_dict())
    for _ in range(2):
        x = torch.randn(shape, dtype=torch.float64) * 3 + 100
        assert torch.allclose(holder(x), plain(torch.cat([x, x]))[:6], atol=1e-9)
    for name, value in plain.state_dict().items():
        assert torch.allclose(holder[0].state_dict()[name].double(), value.double(), atol=1e-9), name
    assert torch.allclose(holder.eval()(x), plain.eval()(x))


@pytest.mark.usefixtures("pair")
def test_batch_norm_over_processes_can_be_differentiated_twice() -> None:
    norm = SynchronisedBatchNorm(nn.BatchNorm1d(2).double())
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)

    def loss(x: Tensor) -> Tensor:
        assert norm.running_mean is not None
        norm.running_mean.zero_()
        normed: Tensor = norm(x)
        return normed.pow(3)

    # The other process has the same x: what one adds reaches both losses, which doubles the sums' gradients.
    def whole(x: Tensor) -> Tensor:
        return nn.functional.batch_norm(torch.cat([x, x]), None, None, training=True).pow(3)[:4]

    assert torch.allclose(torch.autograd.grad(loss(x).sum(), x)[0], torch.autograd.grad(whole(x).sum(), x)[0])
    (first,) = torch.autograd.grad(loss(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    (expected,) = torch.autograd.grad(whole(x).sum(), x, create_graph=True)
    assert torch.allclose(second, torch.autograd.grad(expected.square().sum(), x)[0])


def test_parameter_without_a_gradient_counts_as_zero(pair: SeveralProcesses) -> None:
    layer = nn.Linear(2, 2)
    layer.weight.grad = torch.ones(2, 2)
    pair.average_gradients(layer.parameters())
    assert torch.equal(layer.weight.grad, torch.ones(2, 2))  # both processes have ones
    assert layer.bias.grad is not None
    assert torch.equal(layer.bias.grad, torch.zeros(2))


def test_averaged_gradient_lies_in_memory_as_its_parameter_does(pair: SeveralProcesses) -> None:
    kernel = nn.Parameter(torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last))
    kernel.grad = torch.randn_like(kernel)
    expected = kernel.grad.clone()
    pair.average_gradients([kernel])
    assert torch.equal(kernel.grad, expected)
    assert kernel.grad.stride() == kernel.stride()


NETWORKS = ["dcgan", "cgan", "wgan-sn", "wgan-svc", "tgan", "colorizer", "cyclegan", "pix2pix"]
"""Recipes with every kind of network between them, but for those of wgan-gp."""
SETTLING = ["--set", "generator=residual-unet", "--set", "norm=act", "--set", "settle_at=0.4"]


@pytest.fixture(scope="module")
def trained(colour_photos: Path, fitting: Fitting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs RECIPE/one, of one process, and RECIPE/two, of two: 20 steps of wgan-gp, 5 of each of NETWORKS
    and of norms that settle after 2 of 5.

    In float64: in float32 the two orders of summation differ in the last bit, and Adam, whose first step is as long for
    a gradient of 1e-9 as for one of 1, makes that 1e-4 of a weight whose gradient is next to 0.
    """
    folder = tmp_path_factory.mktemp("trained")
    for name, launcher in (("one", [sys.executable]), ("two", TORCHRUN)):
        commands = words("wgan-gp", colour_photos, folder / "wgan-gp" / name, "--steps", "20")
        for recipe in NETWORKS:
            commands += [THEN, *words(recipe, fitting(recipe), folder / recipe / name, "--steps", "5")]
        settling = folder / "settling" / name
        commands += [THEN, *words("cyclegan", fitting("cyclegan"), settling, "--steps", "5", *SETTLING)]
        run([*launcher, FLOAT64], commands)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)  # with all the trainings of `trained`
def test_two_processes_of_batch_8_equal_one_of_batch_16(trained: Path) -> None:
    one, two = (load_latest(trained / "wgan-gp" / name) for name in ("one", "two"))
    assert (one.step, one.samples) == (two.step, two.samples) == (20, 20 * 2 * 16)
    assert largest_difference(one, two) < 1e-6
    info = RunFolder(trained / "wgan-gp" / "two").read_info()
    assert info.command.startswith("torchrun --nproc-per-node 2 -m img2img train wgan-gp ")
    assert info.processes == 2
    for alone, shared in zip(*(RunFolder(trained / "wgan-gp" / name).stats() for name in ("one", "two")), strict=True):
        assert [alone[name] for name in ("distance", "penalty", "generator")] == pytest.approx(
            [shared[name] for name in ("distance", "penalty", "generator")], abs=1e-6
        )


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("recipe", [*NETWORKS, "settling"])
def test_two_processes_equal_one_with_every_kind_of_network(recipe: str, trained: Path) -> None:
    one, two = (load_latest(trained / recipe / name) for name in ("one", "two"))
    assert (one.step, two.step) == (5, 5)
    assert largest_difference(one, two) < 1e-6
    assert RunFolder(trained / recipe / "two").read_info().processes == 2


@pytest.mark.slow
def test_run_of_two_processes_goes_on_in_one_and_back(colour_photos: Path, tmp_path: Path) -> None:
    run([sys.executable, FLOAT64], words("wgan-gp", colour_photos, tmp_path / "one", "--steps", "9"))
    mixed, saving = tmp_path / "mixed", ["--save-every", "3"]
    resumed = ["train", "wgan-gp", "--out", str(mixed), "--device", "cpu", "--resume", *saving]
    run([*TORCHRUN, FLOAT64], words("wgan-gp", colour_photos, mixed, "--steps", "9", *saving))
    for step, launcher in ((3, [sys.executable]), (6, TORCHRUN)):
        for path in state_files(mixed)[step // 3 :]:
            path.unlink()
        run([*launcher, FLOAT64], resumed)
    one, other = load_latest(tmp_path / "one"), load_latest(mixed)
    assert other.step == 9
    assert largest_difference(one, other) < 1e-6


@contextmanager
def endless_run_of_two(
    start_process: StartProcess, data: Path, out: Path
) -> Iterator[tuple[subprocess.Popen[str], dict[int, int]]]:
    """torchrun and its processes by rank, once they have saved a state."""
    begun = words("wgan-gp", data, out, "--steps", "1000000", "--save-every", "5")
    launcher = start_process([*TORCHRUN, "-m", "img2img", *begun], env=ENVIRONMENT)
    ranks: dict[int, int] = {}
    try:
        wait_beside(lambda: state_files(out), launcher, 240)
        for child in children(launcher.pid):
            found = re.search(rb"\0RANK=(\d+)", Path(f"/proc/{child}/environ").read_bytes())
            if found:
                ranks[int(found[1])] = child
        assert sorted(ranks) == [0, 1]
        yield launcher, ranks
    finally:
        for child in {*ranks.values(), *children(launcher.pid)}:  # each leads a session of its own
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def children(process: int) -> list[int]:
    """Of none that is left there are none."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_process_killed_with_sigkill_ends_the_run_with_its_reason_and_a_state(
    victim: int, colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    with endless_run_of_two(start_process, colour_photos, tmp_path) as (launcher, ranks):
        os.kill(ranks[victim], signal.SIGKILL)
        _, said = launcher.communicate(timeout=120)
        assert launcher.returncode not in (0, None)
    assert "Error: a process of the run died or stopped answering" in said
    assert "--resume" in said
    step = load_latest(tmp_path).step
    resumed = start(TrainingRequest("wgan-gp", (), tmp_path, resume=True, steps=step + 1, device="cpu"))
    resumed.train()
    assert load_latest(tmp_path).step == step + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "rank"),
    [(signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGTERM, 1)],  # None: torchrun
)
def test_interrupt_of_one_process_stops_all_at_one_step_and_saves(
    sent: signal.Signals, rank: int | None, colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    with endless_run_of_two(start_process, colour_photos, tmp_path) as (launcher, ranks):
        os.kill(launcher.pid if rank is None else ranks[rank], sent)
        _, said = launcher.communicate(timeout=120)
        assert launcher.returncode not in (0, None)
    assert "process of the run died" not in said
    assert RunFolder(tmp_path).stats()[-1]["step"] == load_latest(tmp_path).step
