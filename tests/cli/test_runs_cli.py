"""`img2img runs`: the list of trainings, and the chart of one."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import RunError
from img2img.runs import run_chart
from img2img.runs.run_chart import draw_run, run_panels
from img2img.runs.run_records import RunRecords, Stretch, stretches

CHECKOUT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()
COLLAPSE = {"name": "mode collapse", "sentence": "samples are all alike: take wgan-gp"}


def write_run(folder: Path, stats: list[dict[str, object]], health: list[dict[str, object]] | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"recipe": "dcgan", "config": {"steps": 2000}}))
    for name, records in (("stats", stats), ("health", health)):
        if records is not None:
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def record(step: int, **scalars: float) -> dict[str, object]:
    falling = {"discriminator": 1 / step, "generator": math.log(step + 1)}
    return {"step": step, **falling, **scalars, "images_per_second": 900.0, "seconds": step / 10}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    health: list[dict[str, Any]] = [
        {"step": step, "figures": {"diversity": 0.8}, "findings": [COLLAPSE] if step > 500 else []}
        for step in (500, 750, 1000)
    ]
    return write_run(tmp_path / "runs" / "faces", [record(step) for step in range(10, 1010, 10)], health)


def colours(chart: Path) -> set[tuple[int, ...]]:
    with Image.open(chart) as image:
        return {tuple(colour) for colour in np.asarray(image.convert("RGB")).reshape(-1, 3)[::7].tolist()}


def test_show_draws_curves_and_says_how_the_run_stands(run: Path) -> None:
    result = RUNNER.invoke(app, ["runs", "show", str(run)])
    assert result.exit_code == 0, result.output
    for words in (
        "dcgan, running, 1,000 of 2,000, 2 min",
        "generator 6.909",
        "steps 750 to 1,000: mode collapse",
        "wgan-gp",
    ):
        assert words in result.stdout
    drawn = colours(run / "chart.png")
    assert {(255, 255, 255), (31, 111, 180), (217, 114, 43)} <= drawn, "no two curves on white"
    assert (194, 47, 60) in drawn, "the finding is not marked"


@pytest.mark.slow
def test_chart_grows_with_what_was_recorded(tmp_path: Path) -> None:
    few = write_run(tmp_path / "few", [record(1), record(2)])
    many = write_run(tmp_path / "many", [record(1, penalty=0.1, real_right=0.5)] * 2, [{"step": 1, "gradient": 3.0}])
    heights = []
    for folder in (few, many):
        draw_run(RunRecords(folder), folder / "chart.png")
        with Image.open(folder / "chart.png") as image:
            heights.append(image.height)
    assert heights[1] > 1.8 * heights[0]


def test_figures_go_to_the_panel_of_their_kind(tmp_path: Path) -> None:
    stats = [record(1, penalty=0.1, r1=0.2, r2=0.3, real_right=0.5, fake_right=0.6, distance=9.0)]
    seen = {"diversity": 0.5, "duplicates": 0, "norm": 7.0}
    health = [{"step": 1, "gradient_norms": {"g": 3.0}, "figures": seen, "findings": []}]
    panels = run_panels(RunRecords(write_run(tmp_path / "run", stats, health)))
    assert [set(panel.curves) for panel in panels] == [
        {"discriminator", "generator", "distance"},
        {"penalty", "r1", "r2"},
        {"real_right", "fake_right"},
        {"gradient of g"},
        {"diversity", "duplicates"},
        {"norm"},
        {"images_per_second"},
    ]


KIDS = {"kid_ab": 2.0, "fd_ab": 0.9, "kid_ba": 1.0, "fd_ba": 0.8}
REFERENCE = {f"{name}_{end}": value for name in KIDS for end, value in (("floor", 0.1), ("ceiling", 4.0))}


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A run whose quality was measured three times, best in the middle."""
    run = write_run(tmp_path / "run", [record(step) for step in (10, 20, 30)])
    quality: list[dict[str, Any]] = [
        {"step": step, **KIDS, "kid_ab": kid} for step, kid in ((10, 3.0), (20, 1.5), (30, 2.0))
    ]
    quality[0]["reference"] = REFERENCE
    (run / "quality.jsonl").write_text("".join(json.dumps(each) + "\n" for each in quality))
    return run


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take most of the time of `runs show`: for tests of what it prints."""
    monkeypatch.setattr(run_chart, "draw_run", lambda *_: None)


def test_show_says_the_last_and_the_best_quality(measured: Path, undrawn: None) -> None:
    shown = RUNNER.invoke(app, ["runs", "show", str(measured)]).stdout
    rest = "(0.1 to 4)  fd_ab 0.9 (0.1 to 4)  kid_ba 1 (0.1 to 4)  fd_ba 0.8 (0.1 to 4)\n"
    assert f"\nquality, last (step 30): kid_ab 2 {rest}quality, best (step 20): kid_ab 1.5 {rest}" in shown
    told = json.loads(RUNNER.invoke(app, ["runs", "show", str(measured), "--json"]).stdout)["quality"]
    assert told == {
        "last": {"step": 30, **KIDS},
        "best": {"step": 20, **KIDS, "kid_ab": 1.5},
        "reference": REFERENCE,
    }


def test_run_without_quality_says_nothing_of_it(run: Path, undrawn: None) -> None:
    assert "\nquality" not in RUNNER.invoke(app, ["runs", "show", str(run)]).stdout
    assert json.loads(RUNNER.invoke(app, ["runs", "show", str(run), "--json"]).stdout)["quality"] is None


@pytest.mark.slow
def test_quality_is_drawn_between_what_real_and_untouched_images_have(measured: Path) -> None:
    kid, distance = (panel for panel in run_panels(RunRecords(measured)) if "held-out" in panel.title)
    assert (set(kid.curves), set(distance.curves)) == ({"kid_ab", "kid_ba"}, {"fd_ab", "fd_ba"})
    assert kid.curves["kid_ab"][1].tolist() == [3.0, 1.5, 2.0]
    assert kid.levels == {"kid_ab": [0.1, 4.0], "kid_ba": [0.1, 4.0]}
    draw_run(RunRecords(measured), measured / "chart.png")
    assert len(colours(measured / "chart.png")) > 5


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (math.nan, 1),
        pytest.param(-math.inf, 3, marks=pytest.mark.slow),
        pytest.param(math.inf, 200, marks=pytest.mark.slow),
    ],
)
def test_values_that_are_not_finite_are_gaps(tmp_path: Path, value: float, count: int) -> None:
    stats = [record(step, generator=value, norm_of_gradient=value) for step in range(1, count + 1)]
    run = write_run(tmp_path / "run", [*stats, record(count + 1)], [{"step": 1, "diversity": value}])
    draw_run(RunRecords(run), tmp_path / "chart.png")
    assert len(colours(tmp_path / "chart.png")) > 5
    shown = RUNNER.invoke(app, ["runs", "show", str(run), "--json"])
    assert json.loads(shown.stdout)["last"]["discriminator"] == 1 / (count + 1)


def test_json_of_a_broken_run_is_json(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [record(1, generator=math.nan)])
    assert json.loads(RUNNER.invoke(app, ["runs", "show", str(run), "--json"]).stdout)["last"]["generator"] is None
    assert not (run / "chart.png").exists(), "--json alone should leave no file"


@pytest.mark.slow
def test_spike_does_not_flatten_the_curve(tmp_path: Path) -> None:
    def picture(spike: float) -> bytes:
        run = write_run(
            tmp_path / str(spike), [record(step, generator=spike if step == 99 else step) for step in range(1, 200)]
        )
        draw_run(RunRecords(run), run / "chart.png")
        with Image.open(run / "chart.png") as image:
            return np.asarray(image.convert("RGB"))[200:].tobytes()

    assert picture(1e6) == picture(1e9), "the height of a single outlier sets the scale"


def test_run_without_records_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "idle", [])
    (run / "stats.jsonl").unlink()
    with pytest.raises(RunError, match="idle: no records to draw yet"):
        draw_run(RunRecords(run), tmp_path / "chart.png")
    result = RUNNER.invoke(app, ["runs", "show", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path}: not a run's folder" in result.stderr


def test_line_that_a_kill_cut_off_is_left_out(run: Path) -> None:
    with (run / "stats.jsonl").open("a") as file:
        file.write('{"step": 1010, "generat')
    assert RunRecords(run).step == 1000


def test_damaged_records_are_named(run: Path) -> None:
    (run / "health.jsonl").write_text("{nothing\n")
    with pytest.raises(RunError, match=r"health\.jsonl: damaged"):
        draw_run(RunRecords(run), run / "chart.png")
    result = RUNNER.invoke(app, ["runs", "--folder", str(run.parent)])
    assert result.exit_code == 1
    assert "health.jsonl" in result.stderr


@pytest.mark.parametrize("steps", ["many", None, [1]])
def test_run_without_a_number_of_steps_is_one_line_and_the_others_are_listed(run: Path, steps: object) -> None:
    broken = write_run(run.parent / "broken", [record(1)])
    (broken / "config.json").write_text(json.dumps({"recipe": "dcgan", "config": {"steps": steps}}))
    for words in (["runs", "show", str(broken)], ["runs", "--folder", str(run.parent)]):
        result = RUNNER.invoke(app, words)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {broken}: not a run's folder")
        assert len(result.stderr.splitlines()) == 1
    assert "faces" in result.stdout


@pytest.mark.parametrize("name", ["chart.jpg", "chart", "nowhere/chart.png"])
def test_chart_is_a_png_in_a_folder_that_exists(run: Path, tmp_path: Path, name: str) -> None:
    result = RUNNER.invoke(app, ["runs", "show", str(run), "-o", str(tmp_path / name)])
    assert result.exit_code == 2
    assert "give a .png file" in result.stderr
    assert not (tmp_path / name).exists()


def test_finding_that_comes_back_is_two_stretches() -> None:
    health = [{"step": step, "findings": [COLLAPSE] if step in (2, 3, 5) else []} for step in range(1, 7)]
    name, sentence = COLLAPSE.values()
    assert stretches(health) == [Stretch(name, sentence, 2, 3), Stretch(name, sentence, 5, 5)]


def test_list_tells_of_each_run(run: Path) -> None:
    write_run(run.parent / "empty", [])
    result = RUNNER.invoke(app, ["runs", "--folder", str(run.parent)])
    assert result.exit_code == 0, result.output
    for words in (
        "faces",
        "dcgan",
        "1,000 of 2,000",
        "discriminator 0.001",
        "mode collapse",
        "empty",
        "no records yet",
    ):
        assert words in result.stdout
    listed = json.loads(RUNNER.invoke(app, ["runs", "--folder", str(run.parent), "--json"]).stdout)
    assert [each["step"] for each in listed] == [0, 1000]


@pytest.mark.parametrize(
    ("steps", "age", "state", "words"),
    [
        (1000, 0, "running", "running, 1,000 of 2,000"),
        (1000, 200, "stopped", "stopped at 1,000 of 2,000"),
        (2000, 200, "done", "done, 2,000 steps"),
    ],
)
def test_a_run_is_done_running_or_stopped(tmp_path: Path, steps: int, age: int, state: str, words: str) -> None:
    run = write_run(tmp_path / "run", [record(steps)])
    for path in run.iterdir():
        os.utime(path, (time.time() - age, time.time() - age))
    listed = RUNNER.invoke(app, ["runs", "--folder", str(tmp_path)]).stdout
    assert words in listed
    assert "not looked at yet" in listed
    assert json.loads(RUNNER.invoke(app, ["runs", "--folder", str(tmp_path), "--json"]).stdout)[0]["state"] == state


def test_a_run_that_says_so_is_stopped_at_once(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [record(1000)])
    (run / "stopped").touch()
    assert "stopped at 1,000 of 2,000" in RUNNER.invoke(app, ["runs", "--folder", str(tmp_path)]).stdout


def test_health_that_was_looked_at_is_no_blank(tmp_path: Path) -> None:
    write_run(tmp_path / "run", [record(5)], [{"step": 5, "findings": []}])
    assert "nothing found" in RUNNER.invoke(app, ["runs", "--folder", str(tmp_path)]).stdout


def test_list_of_no_runs_says_how_to_start_one(tmp_path: Path) -> None:
    assert "img2img train" in RUNNER.invoke(app, ["runs", "--folder", str(tmp_path)]).stdout


@pytest.mark.slow
def test_list_imports_neither_torch_nor_matplotlib_and_the_chart_leaves_the_home_alone(
    run: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from typer.testing import CliRunner\n"
        "from img2img.cli.app import app\n"
        f"for words in (['runs', '--help'], ['runs', '--folder', {str(run.parent)!r}]):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
        f"assert CliRunner().invoke(app, ['runs', 'show', {str(run)!r}]).exit_code == 0\n"
        "assert 'torch' not in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    environment = {"HOME": str(home), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert not list(home.rglob("*"))
