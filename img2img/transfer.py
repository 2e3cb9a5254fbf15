"""One file over HTTP, in pieces if need be: what has come is kept, and the next attempt asks for the rest only."""

import ipaddress
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse, InvalidURL
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from img2img.atomic_file import reason_for, write_at_once
from img2img.errors import TransferError
from img2img.version import __version__

TransferProgress = Callable[[int, int | None], None]
"""Called with the bytes that are here and, where the server says it, the bytes of the whole."""

_ATTEMPTS = 4
_PIECE = 1 << 18


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for the server's next bytes, and between two attempts."""

    timeout: float = 30.0
    pause: float = 2.0


@dataclass(frozen=True)
class FileKind:
    """What is asked for: its name in messages, how its content begins, and how many bytes it has at most.

    `only_private`: neither the address nor one that a server sends on to may be open to a network's others.
    """

    noun: str
    starts: tuple[bytes, ...]
    most: int | None = None
    only_private: bool = False


class NotAtServer(TransferError):
    """The server has no such file."""


class _Broken(Exception):
    """The transfer broke; another attempt may go on with it."""


@dataclass(frozen=True)
class _Origin:
    """Where a part comes from: `validator` is the file's ETag or date, `total` its size in bytes, where known."""

    url: str
    validator: str | None
    total: int | None


def fetch_file(url: str, part: Path, kind: FileKind, *, patience: Patience, progress: TransferProgress) -> None:
    """Completes the file `part` with what is at the address; beside it, `part`.json says what it is a part of.

    A part of the same file (by ETag or Last-Modified) is gone on with; one of a changed file, or from a server that
    sends no ranges, is begun again. Gives up after four attempts that brought nothing new: raises TransferError, and
    the part stays for the next time.
    """
    if kind.only_private and not is_private(url):
        raise TransferError(f"{url}: {_OPEN}")
    failures, most = 0, _size(part)
    while True:
        try:
            return _attempt(url, part, kind, patience.timeout, progress)
        except _Broken as error:
            failures = 1 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures == _ATTEMPTS:
                raise TransferError(f"{url}: {error}{_kept(_size(part))}") from error
        time.sleep(patience.pause)


def is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what comes from there: https://, or this machine itself."""
    address = urlsplit(url)
    if address.scheme != "http":
        return address.scheme == "https"
    try:
        return address.hostname == "localhost" or ipaddress.ip_address(address.hostname or "").is_loopback
    except ValueError:
        return False


_OPEN = "not an https:// address, so that others could change what comes"


class _PrivateRedirects(HTTPRedirectHandler):
    """Follows a server from https:// to https:// only; on this machine, also from http:// to http://."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if not is_private(newurl) or (req.type == "https" and urlsplit(newurl).scheme != "https"):
            fp.close()
            raise TransferError(f"{req.full_url}: the server sends on to {newurl}, {_OPEN}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def forget(part: Path) -> None:
    """Removes a part and the note beside it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _kept(size: int) -> str:
    return f"; {size / 1e6:,.1f} MB are kept, the same command goes on from there" if size else ""


def _attempt(url: str, part: Path, kind: FileKind, timeout: float, progress: TransferProgress) -> None:
    origin, here = _what_is_here(url, part)
    if origin and origin.total == here:
        return  # stopped between the last byte and what was to become of it
    response = _open(url, kind, origin, here, timeout)
    if response is None or (response.status == 206 and not _continues(response, origin, here)):
        forget(part)
        raise _Broken("the server sent another piece than was asked for; the file may have changed")
    with response:
        _receive(url, response, part, kind, here if response.status == 206 else 0, progress)


def _what_is_here(url: str, part: Path) -> tuple[_Origin | None, int]:
    """The part's origin and size; None and 0 for no part, or one that cannot be gone on with."""
    try:
        origin = _Origin(**json.loads(_note(part).read_text()))
    except (OSError, ValueError, TypeError):
        return None, 0
    usable = origin.url == url and _size(part) and not part.is_symlink()
    return (origin, _size(part)) if usable else (None, 0)


def _open(url: str, kind: FileKind, origin: _Origin | None, here: int, timeout: float) -> HTTPResponse | None:
    """The server's answer; None when the part is longer than the file is now."""
    headers = {"User-Agent": f"img2img/{__version__}", "Accept-Encoding": "identity"}
    if origin and origin.validator:
        headers |= {"Range": f"bytes={here}-", "If-Range": origin.validator}
    try:
        opener = build_opener(*([_PrivateRedirects] if kind.only_private else []))
        response: HTTPResponse = opener.open(Request(url, headers=headers), timeout=timeout)
        return response
    except HTTPError as error:
        error.close()
        if error.code == 416:
            return None
        if error.code in (408, 429) or error.code >= 500:
            raise _Broken(f"the server is in trouble ({error.code} {error.reason})") from error
        raise (NotAtServer if error.code in (404, 410) else TransferError)(f"{url}: {_refusal(error)}") from error
    except (URLError, TimeoutError) as error:  # nobody there: the next address is worth more than the next attempt
        raise TransferError(f"{url}: {_network_trouble(error)}{_kept(here)}") from error
    except (InvalidURL, ValueError) as error:
        raise TransferError(f"{url}: not an address ({error})") from error
    except (HTTPException, OSError) as error:
        raise _Broken(_network_trouble(error)) from error


def _refusal(error: HTTPError) -> str:
    if 300 <= error.code < 400:
        return "the server sends from one address to the next without end, or to what is no web address"
    if error.code in (404, 410):
        return f"no such file at the server ({error.code})"
    return f"the server refuses ({error.code} {error.reason})"


def _network_trouble(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return "the server does not answer" if isinstance(reason, TimeoutError) else f"the connection failed ({reason})"


def _continues(response: HTTPResponse, origin: _Origin | None, here: int) -> bool:
    """Whether what comes is the rest of the part: a server that knows Range but not If-Range would mix two files."""
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return bool(origin and start and int(start[1]) == here and _validator(response) in (origin.validator, None))


def _validator(response: HTTPResponse) -> str | None:
    """The strong ETag, else the date; a weak ETag (W/...) does not vouch for the bytes."""
    etag: str | None = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _receive(
    url: str, response: HTTPResponse, part: Path, kind: FileKind, here: int, progress: TransferProgress
) -> None:
    length = response.headers.get("Content-Length", "")
    total = here + int(length) if length.isdecimal() else None
    _refuse_more(url, part, kind, total or 0)
    piece = _read(response)
    if not here:
        _refuse_another_kind(url, piece, kind)
    try:
        if not here:
            part.unlink(missing_ok=True)  # or a link would lead the bytes into another file
        with part.open("ab" if here else "xb") as stream:
            if not here:
                note = _Origin(url, _validator(response), total)
                write_at_once(_note(part), json.dumps(asdict(note)).encode())
            while piece:
                stream.write(piece)
                here += len(piece)
                _refuse_more(url, part, kind, here)
                progress(here, total)
                piece = _read(response)
    except OSError as error:
        raise TransferError(f"{part}: {reason_for(error, 'written')}") from error
    if total is not None and here != total:
        raise _Broken(f"the connection broke after {here:,} of {total:,} bytes")


def _refuse_more(url: str, part: Path, kind: FileKind, size: int) -> None:
    if kind.most is not None and size > kind.most:
        forget(part)
        raise TransferError(f"{url}: the server sends more than {kind.most:,} bytes, too many for {kind.noun}")


def _read(response: HTTPResponse) -> bytes:
    """Up to 256 KiB; fewer than the server still owes, or none, when the connection is cut."""
    try:
        return response.read(_PIECE)
    except (HTTPException, OSError) as error:
        raise _Broken(_network_trouble(error)) from error


def _refuse_another_kind(url: str, start: bytes, kind: FileKind) -> None:
    """By the first bytes: log-in pages, apologies and captive portals call themselves anything."""
    if start.startswith(kind.starts):
        return
    text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", start.decode("utf-8", "replace"), flags=re.S | re.I)
    words = " ".join(text.split()[:12])[:120]
    sent = "a page" if start.lstrip()[:1] == b"<" else "something else"
    said = f": {words!r}" if words and words.isprintable() and "\ufffd" not in words else ""
    raise TransferError(f"{url}: the server sent {sent} instead of {kind.noun}{said}")
