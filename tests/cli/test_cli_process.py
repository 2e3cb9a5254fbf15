"""The command line as real processes: signals, pipes, terminals, full disks."""

import json
import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from commands_in_turn import run_in_turn
from conftest import DrawPhoto, StartProcess
from PIL import Image
from stopping import stopping

CHECKOUT = Path(__file__).resolve().parents[2]
PHOTOS = 12
_TELEMETRY_SETTINGS = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


@pytest.fixture
def command(tiny_model: Path) -> list[str]:
    return [sys.executable, str(CHECKOUT / "main.py"), "colorize", "--model", str(tiny_model)]


@pytest.fixture
def album(tmp_path: Path, draw_photo: DrawPhoto) -> Path:
    """Enough large photos that a process can be stopped among them."""
    first = draw_photo(tmp_path / "album" / "00.jpg", size=(2400, 1800))
    for n in range(1, PHOTOS):
        (tmp_path / "album" / f"{n:02}.jpg").hardlink_to(first)
    return tmp_path / "album"


def _is_whole(photo: Path) -> bool:
    with Image.open(photo) as image:
        image.load()
    return True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_report_is_written_and_the_exit_code_true_when_nothing_can_be_printed(
    command: list[str], tmp_path: Path, draw_photo: DrawPhoto
) -> None:
    draw_photo(tmp_path / "in" / "a.png")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, "in", "-o", "out", "--report", "r.json"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stderr == "Error: what was to be printed: the disk is full; free some space and run it again\n"
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["done"] == 1


def test_names_that_the_terminal_cannot_show_are_spelled_out(
    command: list[str], tmp_path: Path, draw_photo: DrawPhoto, start_process: StartProcess
) -> None:
    draw_photo(tmp_path / "in" / "\u00e9.png")
    words = [*command, "in", "-o", "out", "--watch"]
    process = start_process(words, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert process.stdout
    line = process.stdout.readline()
    process.terminate()
    _, stderr = process.communicate(timeout=120)
    assert (line, stderr) == (f"{Path('out', r'@.png')}\n".replace("@", "\\xe9"), "")


@pytest.mark.slow
@needs_posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_whole_files_and_the_same_command_goes_on(
    command: list[str], album: Path, tmp_path: Path, start_process: StartProcess, jobs: str
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    words = [*command, str(album), "-o", str(out), "--jobs", jobs, "--report", str(report)]
    process = start_process(stopping(words, signal.SIGINT, before=2, name="*.jpg"))
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    made = sorted(out.glob("[!.]*"))
    assert 0 < len(made) < PHOTOS
    assert all(path.suffix == ".jpg" and _is_whole(path) for path in made)
    assert [path.name for path in out.glob(".*")] == [".img2img-journal.sqlite"]
    assert stdout.startswith(f"{len(made)} coloured into {out}, 0 failed, 0 skipped; stopped, the same command ")
    assert stderr == ""
    assert json.loads(report.read_text())["summary"]["done"] == len(made)

    again = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0
    assert (
        again.stdout
        == f"{PHOTOS - len(made)} coloured into {out}, 0 failed, {len(made)} skipped ({len(made)} up to date)\n"
    )


@pytest.mark.parametrize(
    ("set_by_user", "turns"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "")],
    ids=["nothing", "turns", "policy"],
)
def test_how_long_threads_turn_is_set_before_torch_is_imported_unless_it_was(
    tmp_path: Path, set_by_user: dict[str, str], turns: str
) -> None:
    (tmp_path / "torch.py").write_text("import os; raise SystemExit(os.environ.get('GOMP_SPINCOUNT', ''))")
    assert features_of_no_run(tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{CHECKOUT}", **set_by_user) == f"{turns}\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP is Linux's")
def test_torchs_own_openmp_has_read_it(tmp_path: Path) -> None:
    assert "GOMP_SPINCOUNT = '1000'" in features_of_no_run(
        tmp_path, PYTHONPATH=str(CHECKOUT), OMP_DISPLAY_ENV="VERBOSE"
    )


def features_of_no_run(folder: Path, **environment: str) -> str:
    """What a command that imports torch says on standard error: its run's only state is empty."""
    (folder / "state-00000001.pt").touch()
    chosen = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    words = [sys.executable, "-m", "img2img", "features", str(folder)]
    return subprocess.run(words, env={**chosen, **environment}, capture_output=True, text=True, timeout=300).stderr


@pytest.mark.parametrize(
    "module",
    [
        "typer",
        pytest.param("img2img.cli.colorize", marks=pytest.mark.slow),
        pytest.param("img2img.batch.one_photo", marks=pytest.mark.slow),
        "onnxruntime",
    ],
)
def test_ctrl_c_while_python_still_imports_is_quiet(
    command: list[str], tmp_path: Path, draw_photo: DrawPhoto, module: str
) -> None:
    interrupted = (
        "import runpy, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "sys.argv = sys.argv[1:]\n"
        f"sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [sys.executable, "-c", interrupted, *command[1:], str(draw_photo(tmp_path / "photo.jpg"))]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_main_py_colours_a_photo(tmp_path: Path, draw_photo: DrawPhoto, command: list[str]) -> None:
    draw_photo(tmp_path / "photo.jpg")
    done = subprocess.run([*command, "photo.jpg"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("photo.jpg -> photo.colorized.jpg (")
    assert _is_whole(tmp_path / "photo.colorized.jpg")


@pytest.mark.parametrize("writable", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_nothing_is_written_to_the_home_folder_nor_said_about_it(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str], writable: bool
) -> None:
    """ONNX Runtime's telemetry keeps its files there, and calls its server once it has them."""
    photo, home = draw_photo(tmp_path / "photo.jpg"), tmp_path / "home"
    home.mkdir()
    inherited = {name: value for name, value in os.environ.items() if name not in _TELEMETRY_SETTINGS}
    name = str(home if writable else photo / "home")
    environment = inherited | {"HOME": name, "USERPROFILE": name}
    done = subprocess.run([*command, str(photo)], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(home.iterdir()) == []


def test_photo_goes_through_pipes(tmp_path: Path, draw_photo: DrawPhoto, command: list[str]) -> None:
    grey = draw_photo(tmp_path / "photo.png").read_bytes()
    done = subprocess.run([*command, "-", "--quiet"], input=grey, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (48, 32))


@pytest.mark.parametrize("size", [pytest.param((30, 20), marks=pytest.mark.slow), (600, 400)])
def test_reader_that_is_gone_gets_no_traceback(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str], size: tuple[int, int]
) -> None:
    photo = draw_photo(tmp_path / "photo.bmp", size=size)
    reading, writing = os.pipe()
    os.close(reading)
    words = [*command, str(photo), "-o", "-", "--quiet"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("size", [pytest.param((30, 20), marks=pytest.mark.slow), (600, 400)])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_stdout_is_one_line(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str], size: tuple[int, int]
) -> None:
    photo = draw_photo(tmp_path / "photo.bmp", size=size)
    words = [*command, str(photo), "-o", "-", "--quiet"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("standard output: the disk is full")
    assert len(done.stderr.splitlines()) == 1


@needs_posix
def test_photo_that_finds_no_room_leaves_nothing_and_the_others_are_done(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str]
) -> None:
    import resource

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    draw_photo(tmp_path / "in" / "large.bmp", size=(400, 300))
    draw_photo(tmp_path / "in" / "small.bmp")
    done = subprocess.run(
        [*command, "in", "-o", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # cut at the limit, it would spoil the packages
        capture_output=True,
        text=True,
        preexec_fn=small_files_only,
    )
    assert (done.returncode, done.stdout) == (1, "1 coloured into out, 1 failed, 0 skipped\n")
    assert done.stderr.startswith("out/large.bmp: ")
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["small.bmp"]


@needs_posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder_is_one_line_and_the_rest_is_done(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str]
) -> None:
    draw_photo(tmp_path / "in" / "a.png")
    draw_photo(tmp_path / "in" / "locked" / "b.png")
    (tmp_path / "in" / "locked").chmod(0)
    try:
        done = subprocess.run([*command, "in", "-o", "out"], cwd=tmp_path, capture_output=True, text=True)
    finally:
        (tmp_path / "in" / "locked").chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "1 coloured into out, 1 failed, 0 skipped\n")
    assert done.stderr.startswith("in/locked: ")


def _in_terminal(words: list[str], folder: Path) -> str:
    """What a terminal on stderr shows."""
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side has closed
        return b""


@needs_posix
def test_terminal_shows_a_bar_with_speed_and_time_left(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str]
) -> None:
    for n in range(6):
        draw_photo(tmp_path / "in" / f"{n}.png", size=(500, 400))
    shown = _in_terminal([*command, "in", "-o", "out"], tmp_path)
    assert "6/6" in shown
    assert "photos/s" in shown
    assert "0:00:00" in shown


@pytest.mark.slow
@needs_posix
def test_terminal_shows_no_bar_for_one_photo_or_when_quiet(
    tmp_path: Path, draw_photo: DrawPhoto, command: list[str]
) -> None:
    for n in range(2):
        draw_photo(tmp_path / "in" / f"{n}.png")
    assert _in_terminal([*command, "in/0.png"], tmp_path) == ""
    assert _in_terminal([*command, "in", "-o", "out", "--quiet"], tmp_path) == ""


@needs_posix
def test_photo_is_not_printed_on_a_terminal(tmp_path: Path, draw_photo: DrawPhoto, command: list[str]) -> None:
    import pty

    draw_photo(tmp_path / "photo.png")
    ours, theirs = pty.openpty()
    done = subprocess.run([*command, "photo.png", "-o", "-"], cwd=tmp_path, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


def test_training_commands_without_torch_say_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state-00000001.pt").touch()
    asked = ("train colorizer --data .", "export run -o a.onnx", "evaluate colorizer --data .")
    process = run_in_turn(asked, tmp_path, without=("torch", "cv2"))
    assert (process.returncode, process.stdout) == (0, "1\n1\n1\n")
    assert process.stderr.count("pip install '.[train]' in img2img's checkout (about 6 GB") == 3
    assert "Traceback" not in process.stderr


def test_warning_is_one_line_without_source() -> None:
    program = (
        "import warnings\n"
        "from img2img.cli import app\n"
        "app.app = lambda **_: warnings.warn('state-3.pt: damaged')\n"
        "app.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "Warning: state-3.pt: damaged\n")


def test_folder_without_a_run_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    asked = ("export empty -o a.onnx", "features empty", "train gan --out empty --resume")
    done = run_in_turn(asked, tmp_path, without=("torch", "cv2"))
    assert (done.returncode, done.stdout) == (0, "1\n1\n1\n")
    *first, last = done.stderr.splitlines()
    assert first == 2 * ["Error: empty: no state in there (not a run's folder, or nothing saved yet)"]
    assert last == "Error: empty: not a run's folder (no readable config.json in it)"


def test_folder_of_another_run_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "state-00000007.pt").touch()
    hide = "import sys; sys.modules.update(dict.fromkeys(['torch', 'cv2'])); from img2img.cli.app import main; main()"
    words = [sys.executable, "-c", hide, "train", "gan", "--data", "nowhere", "--out", str(tmp_path)]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path}: holds a run already; add --resume")


def test_main_py_without_the_packages_says_how_to_get_them() -> None:
    hide = "import sys, runpy; sys.modules['typer'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", hide, str(CHECKOUT / "main.py")], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("img2img needs Python packages that are not here (typer). In this folder:\n")
    assert "Traceback" not in done.stderr
    assert ".venv/bin/pip install .\n" in done.stderr


def test_wrong_input_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    refused = {
        "--data missing": "missing: no such folder or tar file",
        "--a missing --b missing": "missing: no such folder or tar file",
        "--data missing --preset papr": "--preset papr: cyclegan has no such preset; did you mean paper?",
        "--set lamda_cycle=1": "--set lamda_cycle=1: cyclegan has no setting 'lamda_cycle'; did you mean lambda_cycle?",
        "--set lambda_cycle": "--set lambda_cycle: write it as name=value",
    }
    commands = [f"train cyclegan {words}" for words in refused]
    done = run_in_turn(commands, tmp_path, told="end.code, 'torch' in sys.modules")
    assert (done.returncode, done.stdout) == (0, "1 False\n" * len(refused)), done.stderr
    assert done.stderr == "".join(f"Error: {said}\n" for said in refused.values())


def test_commands_that_are_not_called_are_not_imported(
    command: list[str], tmp_path: Path, draw_photo: DrawPhoto
) -> None:
    draw_photo(tmp_path / "a.png")
    done = subprocess.run(
        [command[0], "-X", "importtime", *command[1:], "a.png"], cwd=tmp_path, capture_output=True, text=True
    )
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "img2img.cli.colorize" in imported
    assert not imported & {"img2img.cli.translate", "img2img.cli.training.train", "sqlite3", "rich", "tomllib"}


def code_and_output(program: str, folder: Path) -> tuple[int, str]:
    start = "import atexit, os, sys\nfrom img2img.__main__ import leave_at_once\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    return done.returncode, done.stdout


def test_process_leaves_at_once_with_its_code_its_output_and_what_is_registered(tmp_path: Path) -> None:
    program = "atexit.register(print, 'registered', end=''); print('output ', end=''); leave_at_once(3); print('on')"
    assert code_and_output(program, tmp_path) == (3, "output registered")


@pytest.mark.parametrize(
    "kept",
    [
        "sys.modules['torch'] = sys",
        "sys.setprofile(lambda *_: None)",
        "import threading; threading.Thread(target=threading.Event().wait).start()",
        "full = sys.stdout = open('/dev/full', 'w'); print('lost')",
    ],
)
@needs_posix
def test_process_does_not_leave_at_once_where_more_may_hang_on_it(tmp_path: Path, kept: str) -> None:
    program = f"{kept}\nleave_at_once(3); os.write(1, b'went on'); sys.setprofile(None); os._exit(0)"
    assert code_and_output(program, tmp_path) == (0, "went on")
