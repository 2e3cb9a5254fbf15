"""Models added from files: what is taken, under which name, and that it is there as a whole or not at all."""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_model import CARD, tiny_model, write_tiny_model
from waiting import wait_for

from img2img.errors import ModelError, UsageError
from img2img.inference.opened_model import find_critic, find_reverse, models_for
from img2img.model_file import attach_card, available_models, find_model, lookup, read_card
from img2img.model_file.adding import held_folder as held_folder_module
from img2img.model_file.adding import remove as remove_module
from img2img.model_file.adding.add import add_model
from img2img.model_file.adding.held_folder import HeldFolder, held_folder
from img2img.model_file.adding.remove import files_of_added, remove_model

SNOW = tiny_model(0.1, 0.2)
OTHER = tiny_model(0.3, 0.4)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, not there yet; one model, `colorizer`, ships."""
    shelf = tmp_path / "checkpoints"
    shelf.mkdir()
    write_tiny_model(shelf / "colorizer.onnx", SNOW, name="colorizer")
    monkeypatch.setattr(lookup, "checkpoints", lambda: shelf)
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


@pytest.fixture
def snow(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "downloaded.onnx", SNOW, name="snow")


def translators(folder: Path) -> Path:
    """a2b.onnx, its way back and their critic."""
    for name, back in (("a2b", "b2a"), ("b2a", "a2b")):
        write_tiny_model(folder / f"{name}.onnx", SNOW, name=name, task="translate", reverse=back, critic="judge")
    write_tiny_model(folder / "judge.onnx", OTHER, name="judge", task="critic", classes=("a2b", "b2a"))
    return folder / "a2b.onnx"


def names() -> list[str]:
    return [path.stem for path in available_models()]


def contents(folder: Path) -> dict[str, bytes]:
    """The files of all models in the folder; only the lock and the room for transfers may lie beside them."""
    assert {path.name for path in folder.iterdir() if path.name.startswith(".")} <= {".lock", ".parts"}
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("[!.]*/*")}


def test_added_model_is_found_by_the_name_on_its_card(home: Path, snow: Path) -> None:
    added = add_model(str(snow))
    assert (added.name, added.folder, added.missing) == ("snow", home / "snow", ())
    assert find_model("snow").read_bytes() == snow.read_bytes()
    assert names() == ["colorizer", "snow"]
    assert models_for("colorize") == ["colorizer", "snow"]
    snow.unlink()
    assert read_card(find_model("snow")).name == "snow"


def test_name_may_be_chosen(home: Path, snow: Path) -> None:
    add_model(str(snow), name="winter-1.5")
    assert contents(home) == {"winter-1.5/winter-1.5.onnx": snow.read_bytes()}
    assert find_model("winter-1.5").is_file()
    with pytest.raises(ModelError, match=r"Available models: colorizer, winter-1\.5"):
        find_model("snow")


def test_shipped_names_are_not_to_be_had(home: Path, snow: Path) -> None:
    for name in ("colorizer", "Colorizer"):
        with pytest.raises(ModelError, match="ships with img2img has this name"):
            add_model(str(snow), name=name, overwrite=True)
    assert names() == ["colorizer"]


def test_model_that_ships_later_hides_an_added_one(home: Path, snow: Path, tmp_path: Path) -> None:
    add_model(str(snow))
    shipped = write_tiny_model(tmp_path / "checkpoints" / "snow.onnx", OTHER, name="snow")
    assert find_model("snow") == shipped
    assert names() == ["colorizer", "snow"]
    assert remove_model("snow") == [home / "snow" / "snow.onnx"]
    assert shipped.is_file()


def test_taken_name_needs_overwrite(home: Path, snow: Path, tmp_path: Path) -> None:
    add_model(str(snow))
    (home / "snow" / "snow.directions.json").write_text("of the first model")
    other = write_tiny_model(tmp_path / "other.onnx", OTHER, name="snow")
    with pytest.raises(ModelError, match=r"snow: is there already, in .*; --overwrite replaces it"):
        add_model(str(other))
    assert find_model("snow").read_bytes() == snow.read_bytes()
    add_model(str(other), overwrite=True)
    assert contents(home) == {"snow/snow.onnx": other.read_bytes()}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "/tmp/x", "a\\b", ".hidden", "-x", "end.", "x" * 65, "x.onnx", "a b", "a\0"]
)
def test_name_cannot_lead_elsewhere(home: Path, snow: Path, name: str) -> None:
    with pytest.raises(UsageError, match="letters and digits"):
        add_model(str(snow), name=name)
    with pytest.raises(ModelError):
        remove_model(name)
    assert not home.exists()


@pytest.mark.parametrize("name", ["../snow", "a b", ""])
def test_card_cannot_name_its_model_elsewhere(home: Path, tmp_path: Path, name: str) -> None:
    model = write_tiny_model(tmp_path / "a.onnx", SNOW, name=name)
    with pytest.raises(ModelError, match="cannot be a name: give --name"):
        add_model(str(model))
    assert add_model(str(model), name="a").folder == home / "a"


def test_only_whole_models_with_a_card_are_taken(home: Path, snow: Path, tmp_path: Path) -> None:
    whole = snow.read_bytes()
    for content, words in (
        (SNOW, "no img2img card"),
        (whole[:-20], "cut short"),
        (whole[:-1] + b"\0", "card"),
        (whole.replace(b"ab", b"xy", 1), "is damaged"),
        (b"", "is empty"),
    ):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(ModelError, match=words):
            add_model(str(tmp_path / "bad.onnx"))
    for path, words in ((tmp_path, "cannot be read"), (tmp_path / "gone.onnx", "No such file")):
        with pytest.raises(ModelError, match=words):
            add_model(str(path))
    (tmp_path / "config.json").touch()
    with pytest.raises(ModelError, match="a run's folder"):
        add_model(str(tmp_path))
    assert contents(home) == {}


def test_way_back_and_critic_beside_a_file_come_with_it(home: Path, tmp_path: Path) -> None:
    added = add_model(str(translators(tmp_path)), name="winter")
    assert contents(home) == {
        f"winter/{name}.onnx": (tmp_path / file).read_bytes()
        for name, file in (("winter", "a2b.onnx"), ("b2a", "b2a.onnx"), ("judge", "judge.onnx"))
    }
    assert not added.missing
    assert find_reverse("winter") == home / "winter" / "b2a.onnx"
    assert find_critic("winter") == home / "winter" / "judge.onnx"
    assert names() == ["colorizer", "winter"], "what serves one model is no name of its own"


def test_what_a_model_lacks_is_said_until_it_is_at_hand(home: Path, tmp_path: Path) -> None:
    model = translators(tmp_path)
    (tmp_path / "judge.onnx").rename(tmp_path / "critic.onnx")
    (tmp_path / "b2a.onnx").rename(tmp_path / "back.onnx")
    first = add_model(str(model))
    assert [(each.name, each.option) for each in first.missing] == [("b2a", "--cycle"), ("judge", "--score")]
    add_model(str(tmp_path / "critic.onnx"))
    assert not add_model(str(tmp_path / "back.onnx")).missing, "a2b and judge are at hand by name"
    assert find_reverse("a2b") == find_model("b2a")
    assert find_critic("a2b") == find_model("judge")


def test_damaged_or_other_companion_is_refused_and_nothing_is_added(home: Path, tmp_path: Path) -> None:
    model = translators(tmp_path)
    whole = (tmp_path / "judge.onnx").read_bytes()
    (tmp_path / "judge.onnx").write_bytes(whole[:-30])
    with pytest.raises(ModelError, match=r"judge\.onnx"):
        add_model(str(model))
    write_tiny_model(tmp_path / "judge.onnx", SNOW, name="judge")
    with pytest.raises(ModelError, match="a model for 'colorize', and the card beside it calls it its critic"):
        add_model(str(model))
    assert contents(home) == {}


def test_model_and_its_companions_need_names_apart(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="give another --name"):
        add_model(str(translators(tmp_path)), name="B2A")


@pytest.mark.parametrize("reverse", ["../../up", "/etc/up", "..", "a\0b", "\ud800"])
def test_companions_name_cannot_lead_elsewhere(home: Path, tmp_path: Path, reverse: str) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    for place in (tmp_path, folder):
        write_tiny_model(place / "up.onnx", OTHER, name="up", task="translate")
    model = write_tiny_model(folder / "a.onnx", SNOW, name="a", task="translate", reverse=reverse)
    add_model(str(model))
    assert set(contents(home)) <= {"a/a.onnx", "a/up.onnx"}
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "deep", "home", "up.onnx"}


def test_removed_model_is_gone_with_all_that_served_it(home: Path, snow: Path, tmp_path: Path) -> None:
    add_model(str(translators(tmp_path)))
    add_model(str(snow))
    assert remove_model("a2b") == [home / "a2b" / f"{name}.onnx" for name in ("a2b", "b2a", "judge")]
    assert contents(home) == {"snow/snow.onnx": snow.read_bytes()}
    with pytest.raises(ModelError, match=r"a2b: no such added model; there are: snow"):
        remove_model("a2b")
    with pytest.raises(ModelError, match="colorizer: ships with img2img, and stays"):
        remove_model("colorizer")


def test_model_that_another_process_removes_meanwhile_has_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove_module, "_added", lambda name: tmp_path / name / f"{name}.onnx")
    assert files_of_added("snow") == []


def test_foreign_and_damaged_files_in_the_folder_disturb_nobody(home: Path, snow: Path) -> None:
    add_model(str(snow))
    (home / "notes.txt").write_text("mine")
    (home / "empty").mkdir()
    (home / "file").touch()
    (home / "folder" / "folder.onnx").mkdir(parents=True)
    os.mkfifo(home / "empty" / "empty.onnx")
    (home / "dangling").symlink_to(home / "nowhere")
    (home / "broken").mkdir()
    (home / "broken" / "broken.onnx").write_bytes(snow.read_bytes()[:50])
    assert names() == ["colorizer", "broken", "snow"]
    assert models_for("colorize") == ["colorizer", "snow"]
    with pytest.raises(ModelError, match="is there already"):
        add_model(str(snow), name="empty")
    for name in ("empty", "file", "dangling", "broken"):
        add_model(str(snow), name=name, overwrite=True)
    assert names() == ["colorizer", "broken", "dangling", "empty", "file", "snow"]


def test_link_to_a_folder_is_removed_and_what_it_leads_to_stays(home: Path, snow: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copy(snow, mine / "linked.onnx")
    home.mkdir(parents=True)
    (home / "linked").symlink_to(mine)
    assert find_model("linked").is_file()
    remove_model("linked")
    assert names() == ["colorizer"]
    assert (mine / "linked.onnx").is_file()


def test_card_that_is_a_deep_well_or_has_words_for_numbers_is_damaged(home: Path, tmp_path: Path) -> None:
    words = replace(CARD, name="words", inputs=(replace(CARD.inputs[0], range=("a", "b")),))  # type: ignore[arg-type]
    depth = 60_000
    well = attach_card(SNOW, replace(CARD, settings={"x": "y" * (2 * depth - 2)}))
    (tmp_path / "well.onnx").write_bytes(well.replace(b'"%s"' % (b"y" * (2 * depth - 2)), b"[" * depth + b"]" * depth))
    (tmp_path / "words.onnx").write_bytes(attach_card(SNOW, words))
    for name in ("well", "words"):
        with pytest.raises(ModelError, match="card is damaged"):
            add_model(str(tmp_path / f"{name}.onnx"))


def test_model_that_is_replaced_is_there_and_opens_all_the_while(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the new card names: companions under the old names, or under others."""
    add_model(str(translators(tmp_path)))
    seen = set()

    def opens() -> None:
        assert "a2b" in names()
        for path in (find_model("a2b"), find_reverse("a2b"), find_critic("a2b")):
            read_card(path)
        seen.add((read_card(find_model("a2b")).reverse, find_reverse("a2b").name, find_critic("a2b").name))

    def watched(do: Callable[..., None]) -> Callable[..., None]:
        def watching(*words: object, **options: object) -> None:
            opens()
            do(*words, **options)
            opens()

        return watching

    for back, judge in (("b2a", "judge"), ("back", "umpire")):
        other = tmp_path / back
        other.mkdir()
        write_tiny_model(other / "a2b.onnx", OTHER, name="a2b", task="translate", reverse=back, critic=judge)
        write_tiny_model(other / f"{back}.onnx", OTHER, name=back, task="translate", reverse="a2b")
        write_tiny_model(other / f"{judge}.onnx", SNOW, name=judge, task="critic", classes=("a2b", back))
        with monkeypatch.context() as patch:
            for name in ("rename", "replace", "unlink", "rmdir"):
                patch.setattr(os, name, watched(getattr(os, name)))
            add_model(str(other / "a2b.onnx"), overwrite=True)
        assert contents(home) == {f"a2b/{path.name}": path.read_bytes() for path in other.iterdir()}
    assert seen == {("b2a", "b2a.onnx", "judge.onnx"), ("back", "back.onnx", "umpire.onnx")}


def test_replacement_that_is_stopped_before_all_is_written_leaves_the_model_that_was_there(
    home: Path, snow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(str(snow))
    other = write_tiny_model(tmp_path / "other.onnx", OTHER, name="snow")
    rename = Path.rename

    def stop(self: Path, target: Path) -> Path:
        if self.name == ".coming":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            add_model(str(other), overwrite=True)
    assert contents(home) == {"snow/snow.onnx": snow.read_bytes()}


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_replacement_that_is_killed_after_all_is_written_opens_and_is_ended_by_the_next(
    home: Path, snow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    add_model(str(translators(tmp_path)))
    other = tmp_path / "other"
    other.mkdir()
    translators(other)
    write_tiny_model(other / "a2b.onnx", OTHER, name="a2b", task="translate", reverse="b2a", critic="judge")
    replace_file = Path.replace
    done: list[Path] = []

    def kill(self: Path, target: Path) -> Path:
        if len(done) == moved:
            raise SystemExit
        done.append(target)
        return replace_file(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", kill)
        with pytest.raises(SystemExit):
            add_model(str(other / "a2b.onnx"), overwrite=True)
    assert find_model("a2b").read_bytes() == (tmp_path / "a2b.onnx").read_bytes(), "the model itself comes last"
    add_model(str(snow))
    assert contents(home) == {
        "snow/snow.onnx": snow.read_bytes(),
        **{f"a2b/{path.name}": path.read_bytes() for path in other.iterdir()},
    }


def test_what_a_killed_process_left_half_written_is_removed_by_the_next(home: Path, snow: Path) -> None:
    add_model(str(snow))
    (home / ".coming").mkdir()
    (home / ".coming" / "half.onnx").touch()
    (home / ".going" / "snow").mkdir(parents=True)
    add_model(str(snow), name="winter")
    assert set(contents(home)) == {"snow/snow.onnx", "winter/winter.onnx"}


def test_full_disk_leaves_what_was_there(
    home: Path, snow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(str(snow))

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[:10])
        raise OSError(28, "No space left on device", str(self))

    other = write_tiny_model(tmp_path / "other.onnx", OTHER, name="snow")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(ModelError, match="the disk is full; free some space"):
            add_model(str(other), overwrite=True)
    assert contents(home) == {"snow/snow.onnx": snow.read_bytes()}


def test_home_that_cannot_be_written_to_is_said_and_reading_goes_on(
    snow: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"file/models: .*; IMG2IMG_HOME=DIR names another place"):
        add_model(str(snow))
    assert names() == ["colorizer"]
    with pytest.raises(ModelError, match="Available models: colorizer"):
        find_model("snow")


def test_second_process_waits_for_the_first(home: Path, snow: Path, log: pytest.LogCaptureFixture) -> None:
    home.mkdir(parents=True)
    with (home / ".lock").open("ab") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = threading.Thread(target=add_model, args=(str(snow),))
        second.start()
        wait_for(lambda: f"waiting for another img2img that changes {home}" in log.text)
        second.join(0.3)
        assert second.is_alive()
        assert names() == ["colorizer"], "reading waits for nobody"
    second.join(120)
    assert names() == ["colorizer", "snow"]


def test_of_two_that_add_one_name_the_second_is_told(
    home: Path, snow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is free when the second begins, and taken when its turn comes."""
    other = write_tiny_model(tmp_path / "other.onnx", OTHER, name="snow")
    settle = HeldFolder._settle

    def first_is_done(self: HeldFolder) -> None:
        settle(self)
        monkeypatch.setattr(HeldFolder, "_settle", settle)
        self.put("snow", {"snow.onnx": snow.read_bytes()})

    monkeypatch.setattr(HeldFolder, "_settle", first_is_done)
    with pytest.raises(ModelError, match="snow: is there already"):
        add_model(str(other), name="snow")
    assert contents(home) == {"snow/snow.onnx": snow.read_bytes()}


def test_disk_without_locks_is_said(home: Path, snow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(stream: object) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(held_folder_module, "_locked", refuse)
    with pytest.raises(ModelError, match="no file locks"), held_folder():
        pass


def test_models_lie_where_the_system_keeps_data_without_a_home_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, snow: Path
) -> None:
    monkeypatch.setenv("IMG2IMG_HOME", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert add_model(str(snow)).folder == tmp_path / "share" / "img2img" / "models" / "snow"
