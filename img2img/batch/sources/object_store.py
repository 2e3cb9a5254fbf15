"""Photos in object stores, at addresses with :// such as s3://bucket/folder: found there, read and written whole.

fsspec reaches the store; keys, endpoints and regions come from where its package looks for them, such as
AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL for s3fs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from img2img.atomic_file import is_file
from img2img.batch.addresses import address_of, is_stored
from img2img.batch.job import Found
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.passed_over import PassedOver, is_photo_name
from img2img.errors import PhotoError, UnreadablePhoto, UnwritablePhoto
from img2img.photo.formats import PHOTO_SUFFIXES
from img2img.photo.other_files import left_out_among

WRITABLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory")
"""Where an object appears whole or not at all; elsewhere a reader could meet half a photo."""
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")  # of s3fs, adlfs, gcsfs, others, memory

_Entry = dict[str, Any]


def list_store(text: str, recursive: bool = True, passed_over: PassedOver | None = None) -> Iterator[Found | Outcome]:
    """The photos below an address, in the order in which the store lists them, or the one object that it names.

    In s3:// a page of 1,000 is in memory at a time, elsewhere the list of one folder. Hidden names are left out, as
    are folders of thumbnails. `passed_over` is told of all other objects.
    """
    address = address_of(text)
    empty = True
    try:
        with _named(text, "read", UnreadablePhoto):
            for found in _photos(address, recursive, passed_over or PassedOver()):
                empty = False
                yield found
    except UnreadablePhoto as error:
        yield failure(address, str(error))
    else:
        if empty:
            yield failure(address, f"{text}: no photos there; it needs {', '.join(sorted(PHOTO_SUFFIXES))}")


def status_of(address: Any) -> os.stat_result | None:
    """Of the object, None where there is none. Raises UnreadablePhoto where the store does not say."""
    with _named(str(address), "read", UnreadablePhoto):
        try:
            status: os.stat_result = address.stat()
        except FileNotFoundError:
            return None
        return status


def is_there(path: Path) -> bool:
    """Whether there is a file, or an object, of this name. Raises UnreadablePhoto where the store does not say."""
    return status_of(path) is not None if is_stored(path) else is_file(path)


def read_object(address: Any) -> bytes:
    """The whole object. Raises UnreadablePhoto with the address, what is wrong and what to do."""
    with _named(str(address), "read", UnreadablePhoto):
        content: bytes = address.fs.cat_file(address.path)
        return content


def write_object(address: Any, content: bytes) -> None:
    """The object appears whole or not at all. Raises UnwritablePhoto, also for a store that promises no such thing."""
    if address.protocol not in WRITABLE:
        stores = ", ".join(f"{each}://" for each in WRITABLE)
        raise UnwritablePhoto(f"{address}: results go to folders and to {stores}; choose one of them")
    with _named(str(address), "written", UnwritablePhoto):
        address.fs.pipe_file(address.path, content)


def _photos(address: Any, recursive: bool, passed_over: PassedOver) -> Iterator[Found | Outcome]:
    for entry in _objects(address, recursive):
        if entry["name"].strip("/") == address.path.strip("/"):
            yield _found(address, entry, PurePosixPath(address.name))
            continue
        below = PurePosixPath(entry["name"].strip("/").removeprefix(address.path.strip("/")).lstrip("/"))
        if not _looks_like_a_photo(below, passed_over):
            continue
        source = address.joinpath(*below.parts)
        if ".." in below.parts or source.path.strip("/") != entry["name"].strip("/"):
            name = f"{address.protocol}://{entry['name']}"
            yield failure(source, f"{name}: its name has .. or // in it, so no folder can hold it; rename it there")
        else:
            yield _found(source, entry, below)


def _looks_like_a_photo(below: PurePosixPath, passed_over: PassedOver) -> bool:
    is_photo = below.suffix.lower() in PHOTO_SUFFIXES
    if folder := left_out_among(below.parts[:-1]):
        passed_over.note_left_out(folder, is_photo_name(below.name))
        return False
    if any(_is_hidden(part) for part in below.parts):
        return False
    if not is_photo and below.name:
        passed_over.note(below.name)
    return is_photo


def _objects(address: Any, recursive: bool) -> Iterator[_Entry]:
    """What fsspec knows of each object, its name without the protocol."""
    store = address.fs
    if address.parent != address and (entry := _file_at(address)):
        yield entry
    elif address.protocol in ("s3", "s3a"):
        yield from _pages(store.call_s3, address.path, recursive)
    else:
        yield from _walk(store, address.path, recursive)


def _file_at(address: Any) -> _Entry | None:
    try:
        entry: _Entry = address.fs.info(address.path)
    except FileNotFoundError:
        return None
    return entry if entry["type"] == "file" else None


def _pages(call_s3: Callable[..., Any], path: str, recursive: bool) -> Iterator[_Entry]:
    """S3's own listing: a request for each 1,000 objects, however many folders they are in, and none is kept."""
    bucket, _, key = path.partition("/")
    asked = {"Bucket": bucket, "Prefix": f"{key.strip('/')}/".lstrip("/"), **({} if recursive else {"Delimiter": "/"})}
    while True:
        page = call_s3("list_objects_v2", **asked)
        for each in page.get("Contents", ()):
            yield {**each, "name": f"{bucket}/{each['Key']}", "size": each["Size"]}
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _walk(store: Any, folder: str, recursive: bool) -> Iterator[_Entry]:
    folders = []
    for entry in store.ls(folder, detail=True):
        if entry["type"] == "directory":
            folders.append(entry["name"])
        else:
            yield entry
    for each in sorted(folders) if recursive else ():
        yield from _walk(store, each, recursive)


def _found(source: Path, entry: _Entry, below: PurePosixPath) -> Found:
    return Found(source, below, int(entry["size"] or 0), _nanoseconds(entry))


def _nanoseconds(entry: _Entry) -> int:
    """When the object was last changed; 0 where its store does not say."""
    time = next((entry[name] for name in _TIMES if entry.get(name)), 0)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return round((time.timestamp() if isinstance(time, datetime) else float(time)) * 1e9)


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part != ".."


@contextmanager
def _named(name: str, done: str, kind: type[PhotoError]) -> Iterator[None]:
    """Whatever a store's package raises, as one error that starts with the address."""
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:  # each package has exceptions of its own
        raise kind(f"{name}: {_why(error, done)}") from error


def _why(error: Exception, done: str) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such object, or no such bucket; check the address"
    if isinstance(error, PermissionError):
        return "no permission; check the store's credentials and the bucket's policy"
    if "Credentials" in type(error).__name__:
        return "no credentials; give them as the store's package wants them, as with `aws configure` for s3"
    cause = (" ".join(str(error).split()) or type(error).__name__)[:200]
    return f"could not be {done} ({cause}); check the address and the connection, and run it again"
