"""What looks like a photo in a .zip or .tar file, from its start to its end, and why some of it is refused."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Self, cast

from img2img.archive_members import NamesOfAnyBytes, file_type, is_encrypted, leads_out, with_slashes, zip_name
from img2img.atomic_file import reason_for
from img2img.batch.sources.passed_over import PassedOver, is_photo_name
from img2img.errors import UnreadablePhoto
from img2img.photo.formats import PHOTO_SUFFIXES
from img2img.photo.other_files import left_out_among

MAX_BYTES = 2 * 1024**3
"""A photo may unpack to that much: it is in memory as a whole."""

_LEADS_OUT = "its name leads out of the archive; unpack it by hand, if you trust where it came from"
_LINK = "a link, not a photo; unpack the archive and give the folder"
_ENCRYPTED = "encrypted; unpack the archive with its password and give the folder"
_TOO_LARGE = "more than 2 GiB when unpacked; unpack the archive and give the folder"
_PACKED_ODDLY = "packed in a way that cannot be read here; unpack the archive and give the folder"
_NO_ZIP = "not a whole zip, whose list of contents is at its end; copy it again, or mend it with zip -FF"

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_OPENERS: dict[bytes, Callable[..., IO[bytes]]] = {
    b"\x1f\x8b": cast(Callable[..., IO[bytes]], gzip.open),
    b"BZh": cast(Callable[..., IO[bytes]], bz2.open),
    b"\xfd7zXZ\0": cast(Callable[..., IO[bytes]], lzma.open),
}
_PACKED = (gzip.GzipFile, bz2.BZ2File, lzma.LZMAFile)
_READ_AHEAD = 2**20
_LONG_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, *tarfile.GNU_TYPES[:2])
_MAX_HEADER = 2**20  # tarfile reads these as a whole


@dataclass(frozen=True)
class ArchivedPhoto:
    """A photo's path inside its archive and its size when unpacked; `refusal` says why it must not be read.

    `read` works until the next photo is taken. It raises UnreadablePhoto without the photo's name.
    """

    inside: str
    size: int
    refusal: str | None
    read: Callable[[], bytes]


def photos_in(path: Path, passed_over: PassedOver | None = None) -> Generator[ArchivedPhoto, None, None]:
    """Known by their suffixes, none hidden, none in a folder of thumbnails. `passed_over` is told of the others.

    Raises UnreadablePhoto, without the archive's name, where it is damaged."""
    with _damage_told():
        photos = _in_zip if path.suffix.lower() == ".zip" else _in_tar
        yield from photos(path, passed_over or PassedOver())


def _in_zip(path: Path, passed_over: PassedOver) -> Iterator[ArchivedPhoto]:
    path.stat()  # is_zipfile does not tell a missing file from a damaged one
    if not zipfile.is_zipfile(path):
        raise UnreadablePhoto(_NO_ZIP)
    with path.open("rb") as stream, zipfile.ZipFile(NamesOfAnyBytes(stream).as_binary()) as archive:
        for member in archive.infolist():
            name = zip_name(member)
            if not member.is_dir() and not name.endswith("/") and _looks_like_a_photo(name, passed_over):
                refusal = _zip_refusal(member) or _refusal(name, member.file_size)
                read = partial(_told, partial(archive.read, member))
                yield ArchivedPhoto(_inside(name), member.file_size, refusal, read)


def _zip_refusal(member: zipfile.ZipInfo) -> str | None:
    if file_type(member) not in (0, stat.S_IFREG):
        return _LINK
    if is_encrypted(member):
        return _ENCRYPTED
    return None if member.compress_type in _ZIP_METHODS else _PACKED_ODDLY


def _in_tar(path: Path, passed_over: PassedOver) -> Iterator[ArchivedPhoto]:
    with _unpacked(path) as stream, _opened_tar(stream, seeks=not isinstance(stream, _PACKED)) as archive:
        for member in _members(archive):
            name = with_slashes(member.name)
            if not member.isdir() and _looks_like_a_photo(name, passed_over):
                refusal = _refusal(name, member.size) if member.isfile() else _LINK
                read = partial(_told, partial(_tar_content, archive, member))
                yield ArchivedPhoto(_inside(name), member.size, refusal, read)


def _unpacked(path: Path) -> IO[bytes]:
    """By its first bytes. Not by tarfile, which neither reads a second part of a .gz nor looks at its checksum."""
    with path.open("rb") as stream:
        start = stream.read(6)
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    return opener(path) if opener else path.open("rb")


def _opened_tar(stream: IO[bytes], *, seeks: bool) -> tarfile.TarFile:
    """One that cannot seek is read forward only: to go back a byte would be to unpack it from the start."""
    if seeks:
        return tarfile.open(fileobj=stream, mode="r:", tarinfo=_StrictHeader)
    return tarfile.open(fileobj=cast(IO[bytes], _Eager(stream)), mode="r|", bufsize=_READ_AHEAD, tarinfo=_StrictHeader)


class _Eager:
    """A packed stream that gives what there is before it raises: what comes before the damage is not lost."""

    def __init__(self, stream: IO[bytes]) -> None:
        assert isinstance(stream, _PACKED)
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.read1(size)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    last = -1
    while member := archive.next():
        if member.size < 0 or member.offset <= last:  # such a size would lead back, and round in a circle
            raise tarfile.ReadError("a size below zero")
        last = member.offset
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
        yield member


def _tar_content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    assert stream, "only files are read"
    return stream.read()


class _StrictHeader(tarfile.TarInfo):
    """Damage is told, which tarfile takes for the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if len(buf) < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it ends in the middle")
        if not any(buf):
            return super().frombuf(buf, encoding, errors)  # which says that this is the end
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if header.type in _LONG_HEADERS and header.size > _MAX_HEADER:
            raise tarfile.ReadError("a name or header that is too long")
        return header


def _inside(name: str) -> str:
    return str(PurePosixPath(name.partition("\0")[0]))


def _looks_like_a_photo(name: str, passed_over: PassedOver) -> bool:
    path = PurePosixPath(name)
    is_photo = path.suffix.lower() in PHOTO_SUFFIXES
    if leads_out(name):
        return is_photo
    if folder := left_out_among(path.parts[:-1]):
        passed_over.note_left_out(folder, is_photo_name(path.name))
        return False
    if any(part.startswith(".") for part in path.parts):
        return False
    if not is_photo:
        passed_over.note(path.name)
    return is_photo


def _refusal(name: str, size: int) -> str | None:
    if leads_out(name):
        return _LEADS_OUT
    return _TOO_LARGE if size > MAX_BYTES else None


def _told(read: Callable[[], bytes]) -> bytes:
    with _damage_told():
        return read()


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except UnreadablePhoto:
        raise
    except Exception as error:  # zipfile, tarfile and what unpacks for them raise any kind at all for a damaged file
        raise UnreadablePhoto(reason_for(error, "read")) from error
