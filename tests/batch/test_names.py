"""Names of any bytes and in any terminal: kept in what is done, escaped only where they are shown."""

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import DrawPhoto

from img2img import convert
from img2img.batch.addresses import in_unicode
from img2img.batch.engines import cluster
from img2img.batch.job import Found
from img2img.batch.journal.journal import Journal
from img2img.batch.outcome import failure
from img2img.batch.sources.listing import list_files
from img2img.batch.watch import rounds
from img2img.inference.colorizer import Colorizer
from img2img.model_file import read_card
from img2img.model_file.container import rewrite_card
from img2img.photo.photo import Photo
from img2img.plotting import drawable

CHECKOUT = Path(__file__).resolve().parents[2]
KOELN = os.fsdecode(b"K\xf6ln.jpg")  # in Latin-1, as an old disk has it
SHOWN = r"K\udcf6ln.jpg"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")


@pytest.fixture(autouse=True)
def album(tmp_path: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = draw_photo(Path("in/whole.jpg")).read_bytes()
    Path("in", KOELN).write_bytes(whole)
    Path("in", "cut" + KOELN).write_bytes(whole[:300])
    Path("in", "link" + KOELN).symlink_to("nowhere")


@pytest.mark.parametrize("report", ["report.json", "report.csv"])
def test_failures_with_such_names_cost_no_other_photo_and_are_in_the_report(report: str, tiny_model: Path) -> None:
    for status in ("done", "skipped"):
        outcomes = {each.source.name: each for each in convert("in", "out", model=tiny_model, report=Path(report))}
        assert {name: each.status for name, each in outcomes.items()} == {
            "whole.jpg": status,
            KOELN: status,
            "cut" + KOELN: "failed",
            "link" + KOELN: "failed",
        }
        assert str(outcomes["cut" + KOELN].error).startswith(f"in/cut{KOELN}: damaged")
    assert Path("out", KOELN).is_file()
    text = Path(report).read_text()
    if report.endswith(".json"):
        assert f"in/{KOELN}" in {each["source"] for each in json.loads(text)["photos"]}
    else:
        assert f"in/{SHOWN}" in {row["source"] for row in csv.DictReader(text.splitlines())}


def test_a_listed_name_that_is_not_there_is_a_failure() -> None:
    Path("list.txt").write_bytes(b"in/whole.jpg\nin/M\xfcnchen.jpg\n")
    first, second = list_files("list.txt")
    assert isinstance(first, Found)
    assert str(second.source) == os.fsdecode(b"in/M\xfcnchen.jpg")


def test_watching_goes_on_after_such_a_failure(tmp_path: Path) -> None:
    lost = failure(Path("in", KOELN), f"in/{KOELN}: gone")
    stop = threading.Event()
    with Journal.open(tmp_path / "journal", root=tmp_path) as journal:
        failures = []
        for number, found in enumerate(rounds(lambda: iter([lost]), stop, pause=0)):
            journal.register(found, lambda each: tmp_path / each.below, settings={}, watching=True)
            failures += list(journal.failures())
            if number == 2:
                stop.set()
        assert failures == [lost]
        assert list(journal.outcomes()) == [lost]


def test_an_object_store_gets_unicode_names() -> None:
    assert in_unicode(f"a/{KOELN}ä") == "a/K%F6ln.jpgä"
    pytest.importorskip("upath")
    from img2img.batch.addresses import place
    from img2img.batch.plan import target_in

    target = target_in(place("memory://bucket/out"), "same")(Found(Path("in", KOELN), Path(KOELN), 1, 1))
    assert str(target).endswith("out/K%F6ln.jpg")


def test_names_that_the_system_cannot_spell_fail_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_ascii: Callable[[str], bytes] = lambda name: name.encode("ascii", "surrogateescape")  # noqa: E731
    with Journal.open(tmp_path / "journal", root=tmp_path / "out") as journal, monkeypatch.context() as patch:
        patch.setattr(os, "fsencode", in_ascii)
        found = [Found(Path("a.zip/日本.jpg"), Path("日本.jpg"), 1, 1), Found(Path("a.zip/b.jpg"), Path("b.jpg"), 1, 1)]
        counts = journal.register(found, lambda each: tmp_path / "out" / each.below, settings={})
        assert (counts.due, counts.failed) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        {"PYTHONIOENCODING": "ascii"},
        pytest.param({"LC_ALL": "C"}, marks=pytest.mark.slow),
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0"}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("command", [["colorize", "in", "-o", "out", "--model"], ["models", "show"]])
def test_a_terminal_of_ascii_is_told_all(words: dict[str, str], command: list[str], tiny_model: Path) -> None:
    renamed = Path("日本" + KOELN).with_suffix(".onnx")
    renamed.write_bytes(tiny_model.read_bytes())
    ended = subprocess.run(
        [sys.executable, CHECKOUT / "main.py", *command, renamed],
        env={**os.environ, **words},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == (1 if command[0] == "colorize" else 0), ended.stderr
    told = (ended.stdout + ended.stderr).decode(
        "utf-8" if words == {"LC_ALL": "C"} else "ascii"
    )  # Python takes C for UTF-8
    assert ("2 coloured into" if command[0] == "colorize" else r"K\udcf6ln") in told


def test_a_card_and_a_chart_can_name_such_a_file(tiny_model: Path) -> None:
    card = replace(read_card(tiny_model), metrics_command=f"img2img evaluate {KOELN}")
    Path("named.onnx").write_bytes(rewrite_card(tiny_model, card))
    assert read_card(Path("named.onnx")).metrics_command == card.metrics_command
    assert drawable(KOELN) == SHOWN
    assert Colorizer("named.onnx").convert(Photo(np.zeros((8, 8), np.uint8), "L")).width == 8


def test_ray_is_told_no_command_line_whose_names_it_could_not_take() -> None:
    utils = SimpleNamespace(get_entrypoint_name=lambda: KOELN)
    with cluster._command_untold(SimpleNamespace(_private=SimpleNamespace(utils=utils))):
        assert utils.get_entrypoint_name() == "img2img"
    assert utils.get_entrypoint_name() == KOELN
