"""Links among the results: never written through, never followed out of the output folder."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from conftest import DrawPhoto
from film_clips import greys, write_film

from img2img import convert
from img2img.batch.outcome import Outcome
from img2img.errors import FilmError, RunError, UsageError
from img2img.runs.run_folder import RunFolder
from img2img.video.work_folder import WorkFolder


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def linked(link: Path, to: str) -> Path:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(to)
    return link


def hard_linked(link: Path, to: str) -> Path:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.hardlink_to(link.parent / to)
    return link


def statuses(outcomes: list[Outcome]) -> dict[str, str]:
    return {str(each.source): each.status for each in outcomes}


@pytest.mark.parametrize("made", [linked, hard_linked])
def test_a_link_at_a_target_is_replaced_and_the_original_stays(
    made: Callable[[Path, str], Path], draw_photo: DrawPhoto, tiny_model: Path
) -> None:
    original = draw_photo(Path("in/p.jpg")).read_bytes()
    link = made(Path("out/p.jpg"), "../in/p.jpg")
    assert statuses(list(convert("in", "out", model=tiny_model))) == {"in/p.jpg": "skipped"}
    assert statuses(list(convert("in", "out", model=tiny_model, overwrite=True))) == {"in/p.jpg": "done"}
    assert Path("in/p.jpg").read_bytes() == original
    assert not link.is_symlink()
    assert link.read_bytes() != original


def test_a_folder_that_a_link_leads_out_fails_by_name_and_the_rest_is_done(
    draw_photo: DrawPhoto, tiny_model: Path
) -> None:
    originals = {name: draw_photo(Path("in", name)).read_bytes() for name in ("a.jpg", "sub/b.jpg", "gone/c.jpg")}
    linked(Path("out/sub"), "../in/sub")
    linked(Path("out/gone"), "../not there")
    outcomes = list(convert("in", "out", model=tiny_model, overwrite=True))
    assert statuses(outcomes) == {"in/a.jpg": "done", "in/sub/b.jpg": "failed", "in/gone/c.jpg": "failed"}
    errors = "\n".join(str(each.error) for each in outcomes)
    assert "in/sub/b.jpg: out/sub is led out of the output folder by a link, to" in errors
    assert {name: Path("in", name).read_bytes() for name in originals} == originals
    assert not Path("not there").exists()


def test_the_output_folder_and_one_within_it_may_be_links(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("in/sub/p.jpg"))
    Path("disk/real sub").mkdir(parents=True)
    linked(Path("out"), "disk")
    linked(Path("disk/sub"), "real sub")
    assert statuses(list(convert("in", "out", model=tiny_model))) == {"in/sub/p.jpg": "done"}
    assert Path("disk/real sub/p.jpg").is_file()


def test_a_zip_and_a_report_replace_the_links_of_their_names(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("in/p.jpg"))
    list(convert("in", "first.zip", model=tiny_model, report=Path("first.json")))
    reported = linked(Path("report.json"), "first.json").read_bytes()
    kept = linked(Path("out.zip"), "first.zip").read_bytes()
    draw_photo(Path("in/q.jpg"))
    list(convert("in", "out.zip", model=tiny_model, report=Path("report.json")))
    assert Path("first.json").read_bytes() == reported
    assert not Path("report.json").is_symlink()
    assert Path("first.zip").read_bytes() == kept
    assert not Path("out.zip").is_symlink()
    with ZipFile("out.zip") as packed:
        assert "q.jpg" in packed.namelist()


def test_a_link_where_results_of_a_zip_wait_is_refused(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    original = draw_photo(Path("in/p.jpg")).read_bytes()
    linked(Path(".out.zip.img2img"), "in")
    with pytest.raises(UsageError, match="is a link"):
        list(convert("in", "out.zip", model=tiny_model, overwrite=True))
    assert Path("in/p.jpg").read_bytes() == original


def test_a_film_replaces_the_link_of_its_name(tiny_model: Path, tmp_path: Path) -> None:
    write_film(Path("film.mp4"), greys(2))
    other = write_film(Path("other.mp4"), greys(2)).read_bytes()
    linked(Path("out.mp4"), "other.mp4")
    (outcome,) = convert("film.mp4", "out.mp4", model=tiny_model, overwrite=True)
    assert outcome.status == "done"
    assert Path("other.mp4").read_bytes() == other
    linked(Path(".b.mp4.img2img"), "kept").parent.joinpath("kept").mkdir()
    with pytest.raises(FilmError, match="a link, where work is to be kept"):
        WorkFolder(Path("b.mp4"), {})


def test_a_run_writes_through_no_link(tmp_path: Path) -> None:
    from img2img.runs.previews import save_picture

    torch = pytest.importorskip("torch")
    original = np.arange(12, dtype=np.uint8).tobytes()
    Path("photo.png").write_bytes(original)
    run = RunFolder(Path("run"))
    linked(Path("run/previews"), "../run/elsewhere").parent.joinpath("elsewhere").mkdir()
    linked(run.preview_path(1), str(tmp_path / "photo.png"))
    save_picture(torch.zeros(3, 4, 4, dtype=torch.uint8), run.preview_path(1))
    assert Path("photo.png").read_bytes() == original
    Path("run/previews").unlink()
    linked(Path("run/previews"), str(tmp_path))
    with pytest.raises(RunError, match="previews: a link leads it out of run"):
        run.forget_after(0)
