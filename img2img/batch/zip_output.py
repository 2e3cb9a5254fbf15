"""Results in a .zip: gathered in a hidden folder beside it, packed when all are there."""

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO

from img2img.atomic_file import reason_for, remove_leftovers, written_at_once
from img2img.batch.addresses import in_unicode
from img2img.errors import UnwritablePhoto, UsageError

_OURS = b"img2img"  # the comment that a .zip carries
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a .zip can tell: the same results give the same bytes
_MODE = (stat.S_IFREG | 0o644) << 16
_UNIX = 3
_CHUNK = 2**20


class ZipOutput:
    """The .zip at `path`, perhaps packed by a run before, and `folder`, where further results wait for `pack`.

    Raises UsageError where anything else has that name, a .zip that img2img did not pack included.
    """

    def __init__(self, path: Path) -> None:
        self._packed = _sizes(path)
        self.path = path
        self.folder = zip_folder(path)
        if self.folder.is_symlink():
            raise UsageError(
                f"-o {path}: {self.folder}, where results wait, is a link; remove it, or choose another -o"
            )

    def holds(self, name: PurePath) -> int | None:
        """The size of a result in the .zip as it was packed last, None where it is not in there."""
        return self._packed.get(_member_name(name))

    def pack(self, names: Iterable[PurePath]) -> None:
        """Packs the results of these names, and what was packed before; then removes them from the folder.

        A name that is in neither is left out: somebody removed it. Where nothing waits, the .zip stays as it is.
        Raises UnwritablePhoto, and UsageError where a file of somebody else's has the name by now; nothing is lost.
        """
        remove_leftovers(self.path.parent, [self.path.name])
        self._packed = _sizes(self.path)  # which may be another than hours ago
        waiting = {_member_name(name): self.folder / name for name in names if (self.folder / name).is_file()}
        if not waiting:
            return
        with self._failure_told():
            with written_at_once(self.path) as stream, zipfile.ZipFile(stream, "w") as packed:
                packed.comment = _OURS
                self._write(packed, waiting)
            _keep_safe(self.path)
        self._packed = _sizes(self.path)
        self._remove(waiting.values())

    def _write(self, packed: zipfile.ZipFile, waiting: dict[str, Path]) -> None:
        with ExitStack() as stack:
            old = stack.enter_context(zipfile.ZipFile(self.path)) if self._packed else None
            for name in sorted(waiting.keys() | self._packed.keys()):
                if name in waiting:
                    with waiting[name].open("rb") as source:
                        _add(packed, name, source, waiting[name].stat().st_size)
                elif old:
                    with old.open(name) as member:
                        _add(packed, name, member, self._packed[name])

    def _remove(self, paths: Iterable[Path]) -> None:
        folders: set[Path] = set()
        for path in paths:
            with suppress(OSError):
                path.unlink()
            folders.update(each for each in path.parents if each.is_relative_to(self.folder))
        for folder in sorted(folders, reverse=True):  # those within come before those around
            with suppress(OSError):
                folder.rmdir()

    @contextmanager
    def _failure_told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            where = f"the results wait in {self.folder}"
            raise UnwritablePhoto(f"{self.path}: {reason_for(error, 'written')}; {where}") from error


def zip_folder(path: Path) -> Path:
    """Where results for a .zip wait."""
    return path.with_name(f".{path.name}.img2img")


def _sizes(path: Path) -> dict[str, int]:
    if "://" in str(path):
        raise UsageError(f"-o {path}: a .zip is packed on this machine; name a file here, or a folder there")
    if not os.path.lexists(path):
        return {}
    try:
        with zipfile.ZipFile(path) as packed:
            if packed.comment == _OURS:
                return {member.filename: member.file_size for member in packed.infolist()}
    except zipfile.BadZipFile:
        pass
    except OSError as error:
        raise UsageError(f"-o {path}: {reason_for(error, 'read')}") from error
    raise UsageError(f"-o {path}: a file that img2img did not pack has this name; choose another")


def _add(packed: zipfile.ZipFile, name: str, source: IO[bytes], size: int) -> None:
    header = zipfile.ZipInfo(name, _TIME)
    header.create_system, header.external_attr = _UNIX, _MODE
    header.file_size = size  # decides whether ZIP64 is needed
    with packed.open(header, "w") as member:
        shutil.copyfileobj(source, member, _CHUNK)


def _member_name(name: PurePath) -> str:
    """With / between its parts."""
    return in_unicode(name.as_posix())


def _keep_safe(path: Path) -> None:
    """On the disk, before the only other copies are removed."""
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())
