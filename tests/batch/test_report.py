"""batch/report.py: one record a photo, whole or not at all."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from img2img.batch.outcome import Outcome
from img2img.batch.report import check_report, write_report
from img2img.errors import Img2ImgError, UsageError

OUTCOMES = [
    Outcome(Path("in/a.jpg"), Path("out/a.jpg"), "done", 0.12345678, ("grey", "low score"), None, 0.98765, 40, 30, 123),
    Outcome(Path("in/b.jpg"), Path("out/b.jpg"), "skipped"),
    Outcome(Path("in/c,d\n.jpg"), None, "failed", error='c: not a "photo", copy it again'),
]


def test_json_has_a_summary_and_a_record_for_each_photo(tmp_path: Path) -> None:
    write_report(OUTCOMES, tmp_path / "report.JSON")
    report = json.loads((tmp_path / "report.JSON").read_text(encoding="utf-8"))
    assert report["summary"] == {"done": 1, "failed": 1, "skipped": 1}
    assert report["photos"][0] == {
        "source": str(Path("in/a.jpg")),
        "target": str(Path("out/a.jpg")),
        "status": "done",
        "seconds": 0.1235,
        "flags": ["grey", "low score"],
        "error": None,
        "score": 0.9877,
        "width": 40,
        "height": 30,
        "bytes": 123,
    }
    assert [photo["status"] for photo in report["photos"]] == ["done", "skipped", "failed"]
    assert report["photos"][2]["target"] is None
    assert report["photos"][1]["score"] is None


def test_csv_has_the_same_records(tmp_path: Path) -> None:
    write_report(OUTCOMES, tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    assert [record["status"] for record in records] == ["done", "skipped", "failed"]
    assert records[0]["flags"] == "grey, low score"
    assert [record["score"] for record in records] == ["0.9877", "", ""]
    assert records[0]["seconds"] == "0.1235"
    assert records[2]["source"] == str(Path("in/c,d\n.jpg"))
    assert records[2]["error"] == 'c: not a "photo", copy it again'


def test_name_that_is_not_unicode_is_recorded(tmp_path: Path) -> None:
    odd = Outcome(Path(os.fsdecode(b"caf\xe9.jpg")), None, "failed", error="odd")
    write_report([odd], tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["photos"][0]["source"] == str(odd.source)
    write_report([odd], tmp_path / "report.csv")
    assert "caf\\udce9.jpg" in (tmp_path / "report.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["report.txt", "report", "gone/report.json"])
def test_report_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--report"):
        check_report(tmp_path / name)


def test_folder_in_place_of_the_report_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(UsageError, match="a folder has this name"):
        check_report(tmp_path / "report.json")


def test_known_suffixes_are_accepted(tmp_path: Path) -> None:
    check_report(tmp_path / "report.json")
    check_report(tmp_path / "report.CSV")


def test_failed_write_leaves_the_old_report_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(*_: object, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Img2ImgError, match=r"report\.json: .*the disk is full"):
        write_report(OUTCOMES, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
