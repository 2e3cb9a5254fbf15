"""`img2img data download`, against a real server on this machine that misbehaves."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import stat
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import StartProcess
from file_server import Site, served_file
from typer.testing import CliRunner, Result
from waiting import wait_for

from img2img.cli.app import app
from img2img.data.download import archive, catalogue
from img2img.data.download import fetched_set as download_module
from img2img.data.download.catalogue import CATALOGUE, PublicSet, default_data, find_set
from img2img.data.download.fetched_set import Fetched, download
from img2img.errors import DataError, UsageError
from img2img.recipes import RECIPES
from img2img.transfer import Patience

CHECKOUT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()
HASTE = Patience(timeout=120.0, pause=0.0)
NOISE = os.urandom(300_000)  # does not compress


def a_zip(files: dict[str, bytes] | None = None) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in (files or {"toys/trainA/1.bin": NOISE, "toys/trainB/2.bin": b"zebra"}).items():
            opened.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    """A zip at /toys.zip."""
    with served_file("/toys.zip", a_zip()) as served:
        yield served


@pytest.fixture
def get(site: Site, tmp_path: Path) -> Callable[..., Fetched]:
    """`get()` fetches the site's file into `tmp_path`/toys."""

    def fetch(path: str = "toys.zip", **options: Any) -> Fetched:
        return download("toys", tmp_path, url=site.url(path), **{"patience": HASTE, **options})

    return fetch


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".first-seen.json"}


def part(folder: Path) -> Path:
    return folder / "toys.zip.part"


def test_set_is_unpacked_and_recorded(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    fetched = get()
    assert not fetched.was_there
    assert (tmp_path / "toys" / "trainA" / "1.bin").read_bytes() == NOISE
    assert left_in(tmp_path) == {"toys"}
    record = json.loads((tmp_path / "toys" / "source.json").read_text())
    assert record.pop("date").startswith("20")
    assert record == {
        "url": site.url(),
        "size": len(site.content),
        "sha256": hashlib.sha256(site.content).hexdigest(),
        "members": 2,
    }


def test_set_that_is_there_is_not_fetched_again(site: Site, get: Callable[..., Fetched]) -> None:
    get()
    assert get().was_there
    assert len(site.asked) == 1
    with pytest.raises(DataError, match="is there already, from a zip with SHA-256"):
        get(sha256="0" * 64)


def test_folder_of_another_origin_is_left_alone(get: Callable[..., Fetched], tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "mine.jpg").touch()
    with pytest.raises(DataError, match="not from this command"):
        get()
    assert left_in(tmp_path / "toys") == {"mine.jpg"}


def test_zip_without_a_folder_of_its_name_becomes_the_folder(
    site: Site, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    site.content = a_zip({"trainA/1.bin": b"one"})
    get()
    assert (tmp_path / "toys" / "trainA" / "1.bin").read_bytes() == b"one"


@pytest.mark.parametrize("dated", [False, True], ids=["etag", "last-modified"])
def test_broken_transfer_goes_on_where_it_broke(site: Site, get: Callable[..., Fetched], dated: bool) -> None:
    if dated:
        site.etag, site.modified = 'W/"weak"', "Sun, 01 Nov 2026 12:00:00 GMT"
    site.cuts = [100_000, 50_000]
    get()
    assert site.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert site.sent == len(site.content), "something was sent twice"


def test_next_command_goes_on_where_the_last_one_gave_up(
    site: Site, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    site.cuts = [100_000, 0, 0, 0, 0]
    with pytest.raises(DataError, match=r"0\.1 MB are kept, the same command goes on"):
        get()
    assert part(tmp_path).read_bytes() == site.content[:100_000]
    site.cuts = []
    get()
    assert site.asked[-1] == "bytes=100000-"
    assert site.sent == len(site.content)
    assert left_in(tmp_path) == {"toys"}


def test_transfer_that_breaks_often_but_gets_on_arrives(site: Site, get: Callable[..., Fetched]) -> None:
    site.cuts = [20_000] * 12
    get()
    assert site.sent == len(site.content)


def test_server_without_ranges_begins_again(site: Site, get: Callable[..., Fetched]) -> None:
    site.knows_ranges, site.cuts = False, [100_000]
    get()
    assert site.sent == 100_000 + len(site.content)


def test_part_without_a_validator_is_not_gone_on_with(site: Site, get: Callable[..., Fetched]) -> None:
    site.etag, site.cuts = None, [100_000]
    get()
    assert site.asked == [None, None]


def test_piece_from_elsewhere_begins_again(site: Site, get: Callable[..., Fetched]) -> None:
    site.cuts, site.misplaced = [100_000], 7
    get()
    assert site.asked == [None, "bytes=100000-", None]


@pytest.mark.parametrize("honest", [True, False], ids=["if-range", "no if-range"])
def test_file_that_changed_in_between_begins_again(
    site: Site, get: Callable[..., Fetched], tmp_path: Path, honest: bool
) -> None:
    site.cuts = [100_000]

    def change() -> None:
        if len(site.asked) == 2:
            site.content, site.etag = a_zip({"toys/new.bin": NOISE[::-1]}), '"two"'

    site.before_answer, site.knows_if_range = change, honest
    get()
    assert (tmp_path / "toys" / "new.bin").read_bytes() == NOISE[::-1]


def test_file_that_became_shorter_begins_again(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    site.cuts, site.knows_if_range = [100_000], False

    def shrink() -> None:
        if len(site.asked) == 2:
            site.content, site.etag = a_zip({"toys/small.bin": b"small"}), '"two"'

    site.before_answer = shrink
    get()
    assert (tmp_path / "toys" / "small.bin").read_bytes() == b"small"


def test_part_that_is_complete_is_not_asked_for(
    site: Site, get: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(download_module, "unpack", stop)
        with pytest.raises(KeyboardInterrupt):
            get()
    get()
    assert len(site.asked) == 1


def test_page_that_poses_as_a_zip_is_refused_with_its_words(
    site: Site, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    site.content = b"<!DOCTYPE html><style>b {}</style><h1>Please log in</h1>\n<p>to the library</p>"
    with pytest.raises(DataError, match="a page instead of a zip: 'Please log in to the library'"):
        get()
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize(
    ("status", "words", "attempts"),
    [
        (404, "no such file at the server", 1),
        (403, "the server refuses", 1),
        (500, "in trouble", 4),
        (429, "in trouble", 4),
    ],
)
def test_refusals_say_what_the_server_said(
    site: Site, get: Callable[..., Fetched], status: int, words: str, attempts: int
) -> None:
    site.statuses = [status] * 10
    with pytest.raises(DataError, match=words):
        get()
    assert len(site.asked) == attempts


def test_server_that_recovers_is_forgiven(site: Site, get: Callable[..., Fetched]) -> None:
    site.statuses = [503, 502]
    assert get().source.members == 2


def test_circle_of_addresses_ends(site: Site, get: Callable[..., Fetched]) -> None:
    site.redirects["/circle"] = "/circle"
    with pytest.raises(DataError, match="without end"):
        get("circle")


def test_server_that_never_answers_is_given_up(site: Site, get: Callable[..., Fetched]) -> None:
    given_up = threading.Event()
    site.before_answer = lambda: given_up.wait(120)
    with pytest.raises(DataError, match="does not answer"):
        get(patience=Patience(timeout=0.5, pause=0.0))
    given_up.set()


def test_nobody_at_the_address_is_said(get: Callable[..., Fetched], site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the connection failed"):
        download("toys", tmp_path, url="http://127.0.0.1:9/toys.zip", patience=HASTE)


def test_length_that_promises_too_much_is_a_broken_transfer(site: Site, get: Callable[..., Fetched]) -> None:
    site.length = len(site.content) + 10
    with pytest.raises(
        DataError, match=f"broke after {len(site.content):,} of {len(site.content) + 10:,} bytes|another"
    ):
        get()


@pytest.mark.parametrize("length", [200_000, -1], ids=["too short a length", "no length"])
def test_zip_that_lacks_its_end_is_refused(
    site: Site, get: Callable[..., Fetched], tmp_path: Path, length: int
) -> None:
    site.length = length
    if length == -1:
        site.cuts = [200_000]
    with pytest.raises(DataError, match="not a whole zip"):
        get()
    assert left_in(tmp_path) == set(), "a bad zip is not to be gone on with"


def raw_zip(name: str, *, content: bytes = b"x", mode: int = 0) -> bytes:
    """A zip with one member of any name, which `zipfile` itself would not write."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        member = zipfile.ZipInfo("n" * len(name))
        member.external_attr = mode << 16
        opened.writestr(member, content)
    return packed.getvalue().replace(b"n" * len(name), name.encode())


@pytest.mark.parametrize(
    "name", ["../out.bin", "toys/../../out.bin", "/tmp/out.bin", "C:/out.bin", "toys\\..\\out.bin", "toys/a\0.bin"]
)
def test_member_that_leads_outside_is_refused(
    site: Site, get: Callable[..., Fetched], tmp_path: Path, name: str
) -> None:
    site.content = raw_zip(name)
    with pytest.raises(DataError, match="leads outside the folder"):
        get()
    assert left_in(tmp_path) == set()
    assert not (tmp_path.parent / "out.bin").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_member_that_is_no_file_is_refused(site: Site, get: Callable[..., Fetched], tmp_path: Path, kind: int) -> None:
    site.content = raw_zip("toys/link", content=b"/etc/passwd", mode=kind | 0o777)
    with pytest.raises(DataError, match="a link or a device"):
        get()
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("names", [("toys/a.jpg", "toys/A.jpg"), ("toys/a", "toys/a/b.jpg")])
def test_members_in_each_others_way_are_refused(
    site: Site, get: Callable[..., Fetched], names: tuple[str, str]
) -> None:
    site.content = a_zip(dict.fromkeys(names, b"x"))
    with pytest.raises(DataError, match="two of its members are called 'toys/a"):
        get()


def test_bomb_is_refused_before_it_is_unpacked(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    site.content = a_zip({"toys/zeros.bin": bytes(2_000_000)})
    assert len(site.content) < 2_000_000 / archive.MAX_RATIO
    with pytest.raises(DataError, match="unpacks to 2,000,000"):
        get()
    assert left_in(tmp_path) == set()


def test_member_larger_than_it_says_is_refused(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    honest = a_zip({"toys/zeros.bin": bytes(2_000_000)})
    site.content = honest.replace((2_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    with pytest.raises(DataError, match="not a whole zip"):
        get()
    assert left_in(tmp_path) == set()


def test_encrypted_member_is_refused(site: Site, get: Callable[..., Fetched]) -> None:
    packed = bytearray(a_zip({"toys/secret.bin": b"x"}))
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    site.content = bytes(packed)
    with pytest.raises(DataError, match="is encrypted"):
        get()


def test_flipped_bit_is_found(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    damaged = bytearray(site.content)
    damaged[150_000] ^= 1
    site.content = bytes(damaged)
    with pytest.raises(DataError, match="not a whole zip"):
        get()
    assert left_in(tmp_path) == set()


def test_full_disk_keeps_what_came(
    site: Site, get: Callable[..., Fetched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
        with pytest.raises(DataError, match="the disk is full; free some space"):
            get()
    assert part(tmp_path).read_bytes() == site.content
    assert not (tmp_path / "toys").exists()
    get()
    assert len(site.asked) == 1


def test_checksum_that_was_demanded_must_match(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    right = hashlib.sha256(site.content).hexdigest()
    with pytest.raises(DataError, match=f"its SHA-256 is {right}, not {'0' * 64}"):
        get(sha256="0" * 64)
    assert left_in(tmp_path) == set()
    assert get(sha256=right.upper()).source.sha256 == right


def test_first_download_is_trusted_and_later_ones_compared(
    site: Site, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    get()
    (tmp_path / "toys").rename(tmp_path / "old")
    site.content = a_zip({"toys/other.bin": b"changed"})
    with pytest.raises(DataError, match="the file was changed at the server") as refusal:
        get()
    (accepted,) = re.findall(r"--sha256 (\w{64})", str(refusal.value))
    get(sha256=accepted)
    (tmp_path / "toys").rename(tmp_path / "new")
    assert not get().was_there, "what was accepted by hand is what later downloads are compared with"


def test_catalogue_goes_from_address_to_address(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = PublicSet("toys", "toys", sha256=hashlib.sha256(site.content).hexdigest())
    monkeypatch.setitem(CATALOGUE, "toys", public)
    monkeypatch.setattr(catalogue, "_SERVERS", ("http://127.0.0.1:9/", site.url("old/"), site.url("")))
    assert download("toys", tmp_path, patience=HASTE).source.url == site.url()
    (tmp_path / "toys").rename(tmp_path / "kept")
    site.content = a_zip({"toys/other.bin": b"changed"})
    with pytest.raises(DataError, match="its SHA-256 is"):
        download("toys", tmp_path, patience=HASTE)
    monkeypatch.setattr(catalogue, "_SERVERS", ("http://127.0.0.1:9/", site.url("old/")))
    with pytest.raises(DataError, match=r"(?s)connection failed.*no such file.*--url"):
        download("toys", tmp_path, patience=HASTE)


def test_unknown_and_withdrawn_sets_are_said() -> None:
    with pytest.raises(DataError, match="there are: horse2zebra, apple2orange"):
        find_set("horses")
    with pytest.raises(DataError, match=r"licence.*cityscapes-dataset\.com"):
        find_set("cityscapes")


def test_catalogue_is_whole() -> None:
    for name, public in CATALOGUE.items():
        assert name == public.name
        assert public.urls[0] == f"https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/{name}.zip"
        assert public.sha256 is None or re.fullmatch("[0-9a-f]{64}", public.sha256)
        assert (public.sha256 is None) == (public.size is None)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_has_data_that_can_be_had(recipe: str) -> None:
    default = default_data(recipe)
    if default.fetch is None:
        assert default.data == "digits"
    else:
        *command, name = default.fetch.split()
        assert command == ["img2img", "data", "download"]
        assert find_set(name)
        assert default.data.startswith(f"datasets/{name}")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "/tmp/x", "a\\b"])
def test_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="becomes a folder's name"):
        download(name, tmp_path, url="http://127.0.0.1:9/x.zip")


@pytest.mark.parametrize(
    ("url", "sha256"), [("ftp://127.0.0.1/x.zip", None), ("file:///etc/passwd", None), ("x", "12")]
)
def test_senseless_options_are_refused(tmp_path: Path, url: str, sha256: str | None) -> None:
    with pytest.raises(UsageError):
        download("toys", tmp_path, url=url, sha256=sha256)


def command(*words: object) -> Result:
    return RUNNER.invoke(app, ["data", "download", *map(str, words)])


def test_command_says_what_came_and_what_is_next(site: Site, tmp_path: Path) -> None:
    result = command("toys", "--url", site.url(), "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert f"2 files from {site.url()}" in result.stdout
    assert f"next: img2img data check {tmp_path / 'toys'}" in result.stdout
    again = command("toys", "--url", site.url(), "--out", tmp_path)
    assert again.exit_code == 0
    assert "complete since" in again.stdout
    failed = command("other", "--url", site.url("gone.zip"), "--out", tmp_path)
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: ")
    assert "--url" in command("--help").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_command_leaves_a_part_to_go_on_from(
    site: Site, get: Callable[..., Fetched], tmp_path: Path, start_process: StartProcess, number: signal.Signals
) -> None:
    """The answer stops at 280,000 bytes and the connection stays open: the command waits when the signal comes."""
    released = site.stall(280_000)
    words = [sys.executable, str(CHECKOUT / "main.py"), "data", "download", "toys", "--url", site.url()]
    process = start_process([*words, "--out", str(tmp_path)])
    wait_for(lambda: part(tmp_path).exists() and part(tmp_path).stat().st_size)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    released.set()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert f"{part(tmp_path)} keeps 0.3 MB: the same command goes on from there" in said
    assert left_in(tmp_path) == {"toys.zip.part", "toys.zip.part.json"}
    here = part(tmp_path).stat().st_size
    get()
    assert site.asked[-1] == f"bytes={here}-"


def test_killed_while_unpacking_leaves_no_half_set(site: Site, get: Callable[..., Fetched], tmp_path: Path) -> None:
    """What a kill leaves is a folder of another name, which the next command clears."""
    left = tmp_path / ".toys.unpacking"
    (left / "toys").mkdir(parents=True)
    (left / "half.bin").touch()
    get()
    assert left_in(tmp_path) == {"toys"}
    assert not list((tmp_path / "toys").rglob("half.bin"))


def test_readme_lists_the_catalogue() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \| (?:about )?([\d,]+) \|$", (CHECKOUT / "datasets/README.md").read_text(), re.M
    )
    offered = [public for public in CATALOGUE.values() if not public.withdrawn]
    assert [row[:2] for row in rows] == [(public.name, public.about) for public in offered]
    for public, (_, _, size) in zip(offered, rows, strict=True):
        assert public.size is None or f"{public.size / 1e6:,.0f}" == size
