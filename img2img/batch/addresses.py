"""What names a photo: a path on this machine, or an address with :// such as s3://bucket/folder.

Addresses are UPaths, of type Any: for type checkers they are no Paths, and for the rest of img2img they must be.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from img2img.errors import Img2ImgError


def place(text: str) -> Path:
    """The Path, or for an address with :// the UPath, that `str` made this text of."""
    if "://" not in text:
        return Path(text)
    return address_of(text)


def address_of(text: str) -> Path:
    """The UPath of an address with ://, the Path of file://. Img2ImgError says which package it needs."""
    try:
        from upath import UPath
    except ImportError:
        raise Img2ImgError(f"{text}: needs one more package: pip install universal-pathlib") from None
    _check_protocol(text.partition("://")[0])
    address: Any = UPath(text)
    found: Path = Path(address.path) if address.protocol in ("file", "local") else address
    return found


def is_stored(path: Path) -> bool:
    """Whether it is an object store's, and has none of a Path's ways to write."""
    return not isinstance(path, Path)


def in_unicode(name: str) -> str:
    """The name where it must be Unicode, as in a .zip or an object store: bytes that are no UTF-8 as %FF."""
    return "".join(f"%{ord(each) - 0xDC00:02X}" if "\udc80" <= each <= "\udcff" else each for each in name)


def fold(name: str) -> str:
    """Case and accents spelled as one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@cache
def _check_protocol(protocol: str) -> None:
    from fsspec import get_filesystem_class
    from fsspec.registry import known_implementations

    try:
        get_filesystem_class(protocol)
    except ValueError:
        raise Img2ImgError(f"{protocol}://: no such kind of address; s3://, gs:// and az:// are some") from None
    except ImportError:
        package = known_implementations[protocol]["class"].partition(".")[0]
        raise Img2ImgError(f"{protocol}:// needs one more package: pip install {package}") from None
