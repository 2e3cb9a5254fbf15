"""`models add` of an address, against a real server on this machine that behaves, and one that does not."""

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from file_server import Site, served_file
from tiny_model import CARD, tiny_model

from img2img.errors import Img2ImgError, ModelError, TransferError, UsageError
from img2img.model_file import attach_card, find_model
from img2img.model_file.adding import bring
from img2img.model_file.adding.add import AddedModel, add_model
from img2img.model_file.adding.source import Address, read_source
from img2img.model_file.card import ModelCard
from img2img.transfer import FileKind, Patience, _PrivateRedirects, is_private

CHECKOUT = Path(__file__).resolve().parents[2]
HASTE = Patience(timeout=120, pause=0.0)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOISE = os.urandom(300_000).hex()
"""Makes the card, and so the file, large enough to break off."""


def model(name: str, **changes: Any) -> bytes:
    values = {**vars(CARD), "name": name, "notes": NOISE, **changes}
    return attach_card(tiny_model(0.1, 0.2), ModelCard(**values))


SNOW = model("snow")
A2B = model("a2b", task="translate", reverse="b2a", critic="judge")
B2A = model("b2a", task="translate", reverse="a2b", critic="judge")
JUDGE = model("judge", task="critic", classes=("a2b", "b2a"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A model at /snow.onnx; it is also the hub."""
    with served_file("/snow.onnx", SNOW) as served:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{served.port}/")
        yield served


@pytest.fixture
def get(site: Site) -> Callable[..., AddedModel]:
    """`get()` adds the server's file, which must be what the server has now."""

    def add(path: str | None = None, **options: Any) -> AddedModel:
        sha256 = hashlib.sha256(site.content).hexdigest()
        return add_model(f"{site.url(path)}#sha256={sha256}", patience=HASTE, **options)

    return add


def left_in(home: Path) -> set[str]:
    """All but the lock; transfers' notes go with their bytes."""
    parts = home / ".parts"
    return {
        *(path.name for path in home.iterdir() if path.name not in (".lock", ".parts")),
        *(path.suffix for path in (parts.iterdir() if parts.is_dir() else ())),
    }


def test_address_becomes_a_model(site: Site, home: Path, get: Callable[..., AddedModel]) -> None:
    added = get()
    file = added.files["snow"]
    assert (file.origin, file.sha256) == (site.url(), hashlib.sha256(SNOW).hexdigest())
    assert find_model("snow").read_bytes() == SNOW
    assert left_in(home) == {"snow"}


def test_file_with_another_sha256_is_refused_and_deleted(site: Site, home: Path) -> None:
    with pytest.raises(ModelError, match=f"its SHA-256 is {hashlib.sha256(SNOW).hexdigest()}, not {'0' * 64}"):
        add_model(f"{site.url()}#sha256={'0' * 64}", patience=HASTE)
    assert left_in(home) == set()


def test_address_without_a_sha256_is_refused_unless_unchecked(site: Site, home: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing says what the file must be.*--unchecked takes whatever comes"):
        add_model(site.url(), patience=HASTE)
    assert not site.asked
    add_model(site.url(), unchecked=True, patience=HASTE)
    assert find_model("snow").read_bytes() == SNOW


def test_what_is_no_model_of_ours_is_refused_and_deleted(
    site: Site, home: Path, get: Callable[..., AddedModel]
) -> None:
    for content, words in (
        (tiny_model(0, 0), r"snow\.onnx: has no img2img card"),
        (SNOW[: len(SNOW) // 2], "cut short"),
        (b"<html>Please log in</html>", "a page instead of an ONNX model: 'Please log in'"),
        (b"version https://git-lfs.github.com/spec/v1", "something else instead of an ONNX model: 'version https"),
        (b"\x80\x04cposix\nsystem\n", "something else instead of an ONNX model"),
    ):
        site.content = content
        with pytest.raises(Img2ImgError, match=words) as refusal:
            get()
        assert site.url() in str(refusal.value)
        assert left_in(home) == set()


def test_broken_transfer_goes_on_also_with_the_next_command(
    site: Site, home: Path, get: Callable[..., AddedModel]
) -> None:
    site.cuts = [100_000, 60_000, 0, 0, 0, 0]
    with pytest.raises(TransferError, match=r"0\.2 MB are kept, the same command goes on"):
        get()
    assert left_in(home) == {".part", ".json"}
    get()
    assert site.asked[:3] == [None, "bytes=100000-", "bytes=160000-"]
    assert site.asked[-1] == "bytes=160000-"
    assert site.sent == len(SNOW), "something was sent twice"
    assert left_in(home) == {"snow"}


def test_server_without_ranges_begins_again(site: Site, get: Callable[..., AddedModel]) -> None:
    site.knows_ranges, site.cuts = False, [100_000]
    get()
    assert site.sent == 100_000 + len(SNOW)


@pytest.mark.parametrize("honest", [True, False], ids=["if-range", "no if-range"])
def test_file_that_changed_in_between_begins_again(site: Site, home: Path, honest: bool) -> None:
    """A mixture of the two would have neither's SHA-256."""
    site.cuts, site.knows_if_range = [100_000], honest
    newer = model("snow", step=8)

    def change() -> None:
        if len(site.asked) == 2:
            site.content, site.etag = newer, '"two"'

    site.before_answer = change
    add_model(f"{site.url()}#sha256={hashlib.sha256(newer).hexdigest()}", patience=HASTE)
    assert find_model("snow").read_bytes() == newer


def test_missing_file_is_said_at_once(site: Site, home: Path, get: Callable[..., AddedModel]) -> None:
    with pytest.raises(TransferError, match="no such file at the server"):
        get("gone.onnx")
    assert len(site.asked) == 1
    assert left_in(home) == set()


@pytest.mark.parametrize("length", [None, -1], ids=["said", "not said"])
def test_body_beyond_the_limit_is_cut_off(
    site: Site, home: Path, get: Callable[..., AddedModel], monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    assert bring._MODEL.most == 2_000_000_000
    small = FileKind("an ONNX model", (b"\x08",), most=300_000, only_private=True)
    monkeypatch.setattr(bring, "_MODEL", small)
    site.length, received = length, []
    with pytest.raises(TransferError, match="sends more than 300,000 bytes, too many for an ONNX model"):
        get(progress=lambda here, total: received.append(here))
    assert max(received, default=0) <= 300_000
    assert left_in(home) == set()
    if length is None:
        assert not received, "what is too long by its own account is not even begun"


def test_server_may_send_on_to_another_address_that_is_private(
    site: Site, home: Path, get: Callable[..., AddedModel]
) -> None:
    with served_file("/store/1234", SNOW) as store:
        site.redirects["/there"] = store.url()
        store.cuts = [100_000]
        get("there")
        assert store.asked == [None, "bytes=100000-"], "the range goes along"
    assert find_model("snow").read_bytes() == SNOW


@pytest.mark.parametrize("target", ["http://example.org/snow.onnx", "ftp://127.0.0.1/snow.onnx"])
def test_server_may_not_send_on_to_what_others_can_change(
    site: Site, home: Path, get: Callable[..., AddedModel], target: str
) -> None:
    site.redirects["/there"] = target
    with pytest.raises(TransferError, match=f"the server sends on to {re.escape(target)}, not an https:// address"):
        get("there")
    assert left_in(home) == set()


def test_encrypted_address_does_not_lead_into_this_machine() -> None:
    handler, asked = _PrivateRedirects(), Request("https://example.org/snow.onnx")
    with pytest.raises(TransferError, match=r"sends on to http://127\.0\.0\.1/snow\.onnx"):
        handler.redirect_request(asked, io.BytesIO(), 302, "", {}, "http://127.0.0.1/snow.onnx")
    onward = handler.redirect_request(asked, io.BytesIO(), 302, "", {}, "https://cdn.example.org/1")
    assert onward is not None
    assert onward.full_url == "https://cdn.example.org/1"


@pytest.mark.parametrize("target", ["/there", "file:///etc/passwd"])
def test_circle_of_addresses_ends_and_files_are_no_addresses(
    site: Site, get: Callable[..., AddedModel], target: str
) -> None:
    site.redirects["/there"] = target
    with pytest.raises(TransferError, match="without end, or to what is no web address"):
        get("there")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://example.org/a.onnx", True),
        ("http://example.org/a.onnx", False),
        ("http://127.0.0.1.example.org/a.onnx", False),
        ("http://127.8.0.1:80/a.onnx", True),
        ("http://[::1]/a.onnx", True),
        ("http://localhost/a.onnx", True),
        ("http://0.0.0.0/a.onnx", False),
        ("ftp://localhost/a.onnx", False),
        ("file:///a.onnx", False),
    ],
)
def test_only_this_machine_needs_no_encryption(url: str, private: bool) -> None:
    assert is_private(url) == private
    if not private:
        with pytest.raises(UsageError, match="begins with https://"):
            read_source(url, unchecked=True)


@pytest.mark.parametrize(
    "text",
    [
        *("https://", "https://example.org", "https://me:word@example.org/a.onnx", "https://example.org/a#sha256=12"),
        *("hf:owner", "hf:owner/name", "hf:owner/name@", "hf:a/b/c@main", "hf:../name@main", "hf:o/n@main:../a.onnx"),
        *("hf:o/n@main:", "hf:o/n@main:a//b.onnx", "hf:o/n@main#md5=12"),
    ],
)
def test_senseless_sources_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_source(text, unchecked=True)


def test_hub_addresses_are_the_hubs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    folder = f"https://huggingface.co/o/n/resolve/{COMMIT}"
    assert read_source(f"hf:o/n@{COMMIT}") == Address(f"{folder}/model.onnx", folder=folder)
    assert read_source(f"hf:o/n@{COMMIT}:on nx/a.onnx") == Address(
        f"{folder}/on%20nx/a.onnx", folder=f"{folder}/on%20nx"
    )
    checked = read_source(f"hf:o/n@refs/pr/1:a.onnx#sha256={'A' * 64}")
    assert checked == Address("https://huggingface.co/o/n/resolve/refs%2Fpr%2F1/a.onnx", "a" * 64)
    with pytest.raises(UsageError, match="or a whole commit as the revision"):
        read_source("hf:o/n@main")
    monkeypatch.setenv("HF_ENDPOINT", "http://example.org")
    with pytest.raises(UsageError, match="HF_ENDPOINT is http://example"):
        read_source(f"hf:o/n@{COMMIT}")


def test_commit_on_the_hub_brings_what_lies_beside(site: Site, home: Path) -> None:
    folder = f"/owner/pair/resolve/{COMMIT}/onnx"
    site.others = {f"{folder}/a2b.onnx": A2B, f"{folder}/b2a.onnx": B2A}
    added = add_model(f"hf:owner/pair@{COMMIT}:onnx/a2b.onnx", name="winter", patience=HASTE)
    assert {name: file.content for name, file in added.files.items()} == {"winter": A2B, "b2a": B2A}
    assert [each.name for each in added.missing] == ["judge"]
    assert left_in(home) == {"winter"}
    site.others[f"{folder}/judge.onnx"] = JUDGE
    assert not add_model(f"hf:owner/pair@{COMMIT}:onnx/b2a.onnx", patience=HASTE).missing
    assert (home / "b2a" / "judge.onnx").read_bytes() == JUDGE


def test_branch_on_the_hub_brings_only_what_is_checked(site: Site, home: Path) -> None:
    folder = "/owner/pair/resolve/main"
    site.others = {f"{folder}/a2b.onnx": A2B, f"{folder}/b2a.onnx": B2A, f"{folder}/judge.onnx": JUDGE}
    check = f"#sha256={hashlib.sha256(A2B).hexdigest()}"
    added = add_model(f"hf:owner/pair@main:a2b.onnx{check}", patience=HASTE)
    assert [each.name for each in added.missing] == ["b2a", "judge"]
    assert not add_model("hf:owner/pair@main:a2b.onnx", unchecked=True, overwrite=True, patience=HASTE).missing


def test_taken_name_is_said_before_anything_is_fetched(site: Site, home: Path, get: Callable[..., AddedModel]) -> None:
    get(name="snow")
    site.asked.clear()
    with pytest.raises(ModelError, match="is there already"):
        get(name="snow")
    assert not site.asked
    with pytest.raises(ModelError, match="is there already"):
        get()
    get(name="winter")
    assert len(site.asked) == 1, "what was fetched in vain is at hand under another name"


def test_full_disk_is_said_and_what_came_is_kept(
    site: Site, home: Path, get: Callable[..., AddedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cuts = [100_000, 0, 0, 0, 0]
    with suppress(TransferError):
        get()
    opened = Path.open

    def full(self: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "ab" and self.suffix == ".part":
            raise OSError(28, "No space left on device")
        return opened(self, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(TransferError, match="the disk is full; free some space"):
            get()
    get()
    assert site.sent == len(SNOW)


def test_shipped_models_begin_as_what_is_fetched_must() -> None:
    for path in (CHECKOUT / "checkpoints").glob("*.onnx"):
        assert path.read_bytes().startswith(bring._MODEL.starts)
