"""A file that appears whole or not at all; whether it can, asked before the work; and what to say when it cannot."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast
from zlib import crc32

from img2img.errors import Img2ImgError, UnwritablePhoto

_LONGEST = 40  # characters of a name
_TEMPORARY_END = re.compile(r"[0-9a-f]{12}\.part$")
_NO_LOCKS = "this disk has no file locks, or not what else is needed", "choose another place"
_NO_SHARE = "the connection to this share is lost", "connect it again and run it again"
_REASONS = {
    errno.ENOENT: ("no such file or folder", "check the name"),
    errno.EACCES: ("no permission", "change the file's or folder's permissions, or choose another place"),
    errno.EPERM: ("no permission", "change the file's or folder's permissions, or choose another place"),
    errno.EISDIR: ("a folder, not a file", "name a file"),
    errno.ENOTDIR: ("part of its path is a file, not a folder", "choose another place"),
    errno.EEXIST: ("something that is no folder is in its way", "choose another place"),
    errno.ELOOP: ("its links lead in a circle", "name the real file or folder"),
    errno.EROFS: ("this disk can only be read from", "choose another place"),
    errno.ENOSPC: ("the disk is full", "free some space and run it again"),
    errno.EDQUOT: ("your share of the disk is used up", "free some space and run it again"),
    errno.EFBIG: ("larger than a file may be here", "choose another place"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.EMFILE: ("too many open files", "allow more with ulimit -n, or run fewer jobs at once"),
    errno.ENFILE: ("too many open files on this machine", "close other programs, or run fewer jobs at once"),
    errno.EIO: ("the disk, or the way to it, failed", "look after the disk and its cables, or choose another place"),
    errno.ENXIO: ("the device is not there", "plug it in again, or choose another place"),
    errno.ENODEV: ("the device is not there", "plug it in again, or choose another place"),
    errno.EBUSY: ("in use by another program", "close that, or choose another place"),
    errno.ENOLCK: _NO_LOCKS,
    errno.EOPNOTSUPP: _NO_LOCKS,
    errno.ENOTSUP: _NO_LOCKS,
    errno.EILSEQ: ("this disk cannot hold such a name", "rename it"),
    errno.ESTALE: _NO_SHARE,
    errno.ENOTCONN: _NO_SHARE,
    errno.ETIMEDOUT: _NO_SHARE,
    errno.EHOSTDOWN: _NO_SHARE,
    errno.EHOSTUNREACH: _NO_SHARE,
    errno.ENETDOWN: _NO_SHARE,
    errno.ENETUNREACH: _NO_SHARE,
}


def reason_for(error: BaseException, done: str) -> str:
    """One line for a file that could not be "read" or "written": what is wrong and what to do."""
    if isinstance(error, OSError) and error.errno in _REASONS:
        return "{}; {}".format(*_REASONS[error.errno])
    if isinstance(error, MemoryError):
        return "not enough memory; close other programs or run fewer jobs at once"
    cause = (" ".join(str(error).split()) or type(error).__name__)[:200]
    if done == "read":
        return f"damaged or incomplete ({cause}); copy it again from where it came from"
    return f"could not be written ({cause}); choose another --format or place"


def check_target(target: Path, *, overwrite: bool, error: type[Img2ImgError] = UnwritablePhoto) -> None:
    """Raise `error` for a file that nobody said to replace, and for one whose folder cannot be made or written to."""
    if is_folder(target):
        raise error(f"{target}: a folder, not a file; name a file with -o")
    if exists(target) and not overwrite:
        raise error(f"{target}: is there already; --overwrite replaces it, or choose another name")
    nearest = next(folder for folder in target.absolute().parents if exists(folder))
    if not is_folder(nearest):
        raise error(f"{target}: {nearest} is a file, not a folder; name another place with -o")
    if why := why_not_writable(nearest):
        raise error(f"{target}: {why} in {nearest}; name another place with -o")


def why_not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder that is there, as far as is known without trying; None where one can."""
    if os.access(folder, os.W_OK):
        return None
    is_read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    return "a disk that can only be read from" if is_read_only else "no permission to write"


def exists(path: Path) -> bool:
    """As Path's own, also where that raises: for a name that cannot be one, too long or with a NUL, or out of reach."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """As Path's own, also where that raises."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """As Path's own, also where that raises."""
    return os.path.isdir(path)  # noqa: PTH112


def files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and the folders in it, in no order; links to folders are not followed.

    A folder that goes away meanwhile, or may not be read, has none: `Path.rglob` raises FileNotFoundError there.
    """
    return (Path(inside, name) for inside, _, names in os.walk(folder) for name in names)


@contextmanager
def written_at_once(target: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes become the target's when the block ends, and are gone when it raises.

    The hidden temporary file lies beside the target, so that the rename cannot cross disks; its permissions
    are those of any new file. A link is replaced by the file, and what it led to stays as it was, as does another name
    (hard link) of the file that was there. A device or a pipe is written to directly.
    """
    if is_folder(target):
        raise IsADirectoryError(errno.EISDIR, "a folder", str(target))
    if _is_device(target):
        with target.open("wb") as device:
            yield _Unnumbered(device).as_binary()
        return
    temporary = target.with_name(f"{_temporary_start(target.name)}{os.urandom(6).hex()}.part")
    try:
        with temporary.open("xb") as stream:
            yield _Unnumbered(stream).as_binary()
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def check_stays_inside(folder: Path, root: Path, *, error: type[Img2ImgError] = UnwritablePhoto) -> None:
    """Raise `error` for a folder below `root` that a link leads out of it: files in there are others' property.

    `root` itself may be a link.
    """
    if (elsewhere := leads_elsewhere(folder, os.path.realpath(root))) is not None:
        raise error(
            f"{folder}: a link leads it out of {root}, to {elsewhere}; remove the link, or choose another place"
        )


def leads_elsewhere(folder: Path, real_root: str) -> str | None:
    """Where a folder really lies, links followed, when that is not in `real_root`."""
    real = os.path.realpath(folder)
    return None if Path(real).is_relative_to(real_root) else real


def _is_device(target: Path) -> bool:
    """A device or a pipe, or one of the system's links to what is open, such as /dev/stdout."""
    try:
        mode = target.lstat().st_mode
    except OSError:
        return False
    if stat.S_ISLNK(mode):
        folder = os.path.realpath(target.parent)
        return folder == "/dev" or folder.startswith("/proc/")
    return not stat.S_ISREG(mode)


def remove_leftovers(folder: Path, names: Iterable[str]) -> None:
    """Remove the temporary files of a process that was killed while it wrote files of these names in the folder."""
    starts = {_temporary_start(name) for name in names}
    with suppress(OSError):
        for each in folder.iterdir():
            if (ending := _TEMPORARY_END.search(each.name)) and each.name[: ending.start()] in starts:
                each.unlink()


def _temporary_start(name: str) -> str:
    """A long name is cut, for there is a limit; its sum tells it from others that begin so and may be in the making."""
    if len(name) <= _LONGEST:
        return f".{name}."
    return f".{name[: _LONGEST - 9]}.{crc32(name.encode(errors='surrogatepass')):08x}."


def write_at_once(target: Path, content: bytes) -> None:
    """Replace the file's content, or leave it as it was."""
    with written_at_once(target) as stream:
        stream.write(content)


class _Unnumbered:
    """A stream without a file number: given one, Pillow writes past Python and loses an error's reason."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write, self.flush = stream.write, stream.flush
        self.seek, self.tell = stream.seek, stream.tell

    def as_binary(self) -> BinaryIO:
        return cast(BinaryIO, self)
