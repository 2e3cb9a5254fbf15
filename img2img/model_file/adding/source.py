"""What a user says a model comes from: a file here, an address, or a file of a repository on the Hugging Face hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from img2img.errors import UsageError
from img2img.transfer import is_private

_HUB = "https://huggingface.co"
_HUB_FILE = re.compile(r"hf:(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)@(?P<revision>[^:]+)(?::(?P<file>.+))?")
_DEFAULT_FILE = "model.onnx"
_COMMIT = re.compile("[0-9a-f]{40}")
_CHECK = re.compile("sha256=([0-9a-fA-F]{64})")


@dataclass(frozen=True)
class Address:
    """Where a file is fetched from; `sha256` is what it must have, None where the address itself is sure.

    `folder` is the address of a folder whose other files are as sure as this one.
    """

    url: str
    sha256: str | None = None
    folder: str | None = None

    def beside(self, name: str) -> Address | None:
        """The model file of that name in the same folder, if the folder is sure."""
        return Address(f"{self.folder}/{quote(name)}.onnx", folder=self.folder) if self.folder else None


def read_source(text: str, *, unchecked: bool = False) -> Path | Address:
    """A path; https://...#sha256=HEX; or hf:OWNER/NAME@REVISION[:FILE], whose file is model.onnx where none is said.

    What is fetched must be sure: by its sha256 or, on the hub, by a whole commit as the revision; `unchecked` takes
    anything. http:// is for this machine only. Raises UsageError.
    """
    address, _, check = text.partition("#")
    if text.startswith("hf:"):
        return _on_hub(text, address, _sha256(text, check), unchecked)
    if "://" not in text:
        return Path(text)
    if not is_private(address) or not urlsplit(address).path.strip("/") or "@" in urlsplit(address).netloc:
        raise UsageError(f"{text}: give an address that begins with https:// and leads to a file")
    return _sure(text, Address(address, _sha256(text, check)), unchecked)


def _on_hub(text: str, address: str, sha256: str | None, unchecked: bool) -> Address:
    """The hub's own address of a file: OWNER/NAME/resolve/REVISION/FILE."""
    said = _HUB_FILE.fullmatch(address)
    file = (said and said["file"]) or _DEFAULT_FILE
    if not said or {"", ".", ".."} & {*file.split("/"), said["owner"], said["name"]}:
        raise UsageError(f"{text}: give hf:OWNER/NAME@REVISION or hf:OWNER/NAME@REVISION:FILE")
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB
    if not is_private(hub):
        raise UsageError(f"HF_ENDPOINT is {hub}: let it begin with https://")
    url = f"{hub}/{said['owner']}/{said['name']}/resolve/{quote(said['revision'], safe='')}/{quote(file)}"
    if unchecked or _COMMIT.fullmatch(said["revision"]):
        return Address(url, sha256, folder=url.rpartition("/")[0])
    return _sure(text, Address(url, sha256), unchecked)


def _sha256(text: str, check: str) -> str | None:
    said = _CHECK.fullmatch(check)
    if check and not said:
        raise UsageError(f"{text}: what stands after # must be sha256= and 64 hexadecimal digits")
    return said[1].lower() if said else None


def _sure(text: str, address: Address, unchecked: bool) -> Address:
    if address.sha256 or unchecked:
        return address
    way = ", or a whole commit as the revision" if text.startswith("hf:") else ""
    raise UsageError(
        f"{text}: nothing says what the file must be, so a changed one would go unseen: add #sha256= and its 64 digits"
        f"{way}; --unchecked takes whatever comes"
    )
