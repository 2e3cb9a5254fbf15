"""What a server is told at its start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from img2img.atomic_file import reason_for
from img2img.errors import UsageError

LEAST_TOKEN = 16  # characters: 16 hexadecimal ones are 64 bits
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Where to listen, who may ask, and how much at most.

    `max_upload`: bytes of one photo. `job_space`: bytes of all jobs' files. `workers`: photos at once, `queue`:
    requests that may wait. `patience`: seconds for a request's head, or an answer that its reader does not take.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    max_upload: int = 50_000_000
    max_pixels: int = 200_000_000
    workers: int = 2
    queue: int = 32
    job_space: int = 4_000_000_000
    job_hours: float = 6.0
    patience: float = 30.0
    device: str = "auto"
    runtime: str = "auto"

    def names_us(self, host: str) -> bool:
        """Whether a request that calls this server so (no port) means it."""
        return host in _LOOPBACK_NAMES or host == self.host.lower() or host in self.allowed_hosts


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def parse_size(text: str, option: str) -> int:
    """Bytes in "50MB", "4 GB" or "1000". UsageError names the option."""
    found = _SIZE.fullmatch(text.strip())
    if not found or (size := int(float(found[1]) * _UNITS[found[2].upper()])) < 1:
        raise UsageError(f"{option} {text!r}: give a size such as 50MB or 2GB")
    return size


def read_token(path: Path) -> str:
    """The first line of the file. UsageError where it cannot be read, or is too short to keep anybody out."""
    try:
        token = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {path}: {reason_for(error, 'read')}") from error
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        advice = f"python -c 'import secrets; print(secrets.token_urlsafe())' > {path}"
        raise UsageError(f"--token-file {path}: needs {LEAST_TOKEN} or more letters and digits in one line: {advice}")
    return token


def check_open_host(host: str, token: str | None, *, no_token: bool) -> None:
    """Raises UsageError for an address that others reach, without a token."""
    if token is None and not no_token and not is_loopback(host):
        raise UsageError(
            f"--host {host} can be reached by other machines: add --token-file FILE, or --no-token for everybody there"
        )
