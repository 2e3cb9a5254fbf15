"""A public data set from its address to a folder that is complete or not there."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from img2img.atomic_file import reason_for, write_at_once
from img2img.data.download.archive import unpack
from img2img.data.download.catalogue import find_set
from img2img.errors import DataError, TransferError, UsageError
from img2img.transfer import FileKind, Patience, TransferProgress, fetch_file, forget

_ZIP = FileKind("a zip", (b"PK\x03\x04", b"PK\x05\x06"))
_RECORD = "source.json"
_FIRST_SEEN = ".first-seen.json"


@dataclass(frozen=True)
class Source:
    """What `source.json` in a fetched set says: `size` in bytes and `sha256` are the zip's, `members` its files."""

    url: str
    size: int
    sha256: str
    date: str
    members: int


@dataclass(frozen=True)
class Fetched:
    """A set that is there, and whether it was there before."""

    folder: Path
    source: Source
    was_there: bool


def download(
    name: str,
    out: Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    patience: Patience | None = None,
    progress: TransferProgress = lambda here, total: None,
) -> Fetched:
    """Fetches a set of the catalogue, or the zip at `url`, into the folder `out`/`name`.

    Its SHA-256 must be `sha256`, else the catalogue's; where neither is known, that of the first download into `out`
    (trust on first use: it is noted in `out`/.first-seen.json). Raises DataError; whatever happens, the folder is
    complete or not there, and a transfer that broke leaves `name`.zip.part, from which the next one goes on.
    """
    _refuse_words(name, sha256)
    urls, known = _addresses(name, url)
    folder = out / name
    with _naming(out):
        if there := _what_is_there(folder, sha256):
            return Fetched(folder, there, was_there=True)
        out.mkdir(parents=True, exist_ok=True)
    expected = sha256.lower() if sha256 else known or _first_seen(out).get(urls[0])
    part = part_file(out, name)
    used = _fetch_from_any(urls, part, patience or Patience(), progress)
    source = _verified(part, used, expected)
    with _naming(out), _discarded_if_bad(part, used):
        source = _install(part, folder, source)
    if not known:
        _remember(out, urls[0], source.sha256)
    forget(part)
    return Fetched(folder, source, was_there=False)


def part_file(out: Path, name: str) -> Path:
    """Where a transfer's bytes gather."""
    return out / f"{name}.zip.part"


def _refuse_words(name: str, sha256: str | None) -> None:
    if not name or PurePath(name).name != name or name.startswith(".") or "\\" in name:
        raise UsageError(f"NAME {name!r} becomes a folder's name: give one without slashes; --out says where")
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise UsageError(f"--sha256 {sha256}: give 64 hexadecimal digits")


def _addresses(name: str, url: str | None) -> tuple[tuple[str, ...], str | None]:
    if url is None:
        public = find_set(name)
        return public.urls, public.sha256
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"--url {url}: give an address that begins with https:// or http://")
    return (url,), None


@contextmanager
def _naming(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{out}: {reason_for(error, 'written')}") from error


def _what_is_there(folder: Path, sha256: str | None) -> Source | None:
    """The record of a set that was fetched before, None for no folder; a folder of another origin is refused."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    try:
        source = Source(**json.loads((folder / _RECORD).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{folder}: is there already, but not from this command (no {_RECORD} in it); "
            "move it away, or give another --out"
        ) from error
    if sha256 and source.sha256 != sha256.lower():
        raise DataError(
            f"{folder}: is there already, from a zip with SHA-256 {source.sha256}; move it away to fetch the other"
        )
    return source


def _fetch_from_any(urls: tuple[str, ...], part: Path, patience: Patience, progress: TransferProgress) -> str:
    """Tries one address after the other; returns the one that had it."""
    refusals = []
    for url in urls:
        try:
            fetch_file(url, part, _ZIP, patience=patience, progress=progress)
            return url
        except TransferError as error:
            refusals.append(str(error))
    advice = "look at the network, try again later, or give another address with --url"
    raise DataError("\n".join([*refusals, f"not fetched: {advice}"]))


def _verified(part: Path, url: str, expected: str | None) -> Source:
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if expected and found != expected:
        forget(part)
        raise DataError(
            f"{url}: its SHA-256 is {found}, not {expected}; the file was changed at the server or on its way, and "
            f"was deleted. If you know that it is right: --sha256 {found}"
        )
    return Source(url, part.stat().st_size, found, datetime.now(UTC).isoformat(timespec="seconds"), 0)


@contextmanager
def _discarded_if_bad(part: Path, url: str) -> Iterator[None]:
    """What a zip is refused for cannot be mended by going on with its transfer."""
    try:
        yield
    except DataError as error:
        forget(part)
        raise DataError(f"{url}: {error}; the zip was deleted; fetch it again, or give another --url") from error


def _install(part: Path, folder: Path, source: Source) -> Source:
    """Unpacks beside the target and renames at the end; what a killed command left there is cleared first."""
    workplace = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(workplace, ignore_errors=True)
    try:
        workplace.mkdir()
        members = unpack(part, workplace)
        root = _root(workplace, folder.name, source.url)
        source = Source(**asdict(source) | {"members": members})
        write_at_once(root / _RECORD, json.dumps(asdict(source), indent=2).encode())
        root.rename(folder)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return source


def _root(workplace: Path, name: str, url: str) -> Path:
    """The one folder in it, where it is called like the set or the zip; else all."""
    inside = list(workplace.iterdir())
    wrappers = {name, PurePosixPath(unquote(urlsplit(url).path)).stem}
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and inside[0].name in wrappers else workplace


def _first_seen(out: Path) -> dict[str, Any]:
    try:
        noted = json.loads((out / _FIRST_SEEN).read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _remember(out: Path, url: str, sha256: str) -> None:
    write_at_once(out / _FIRST_SEEN, json.dumps(_first_seen(out) | {url: sha256}, indent=2).encode())
