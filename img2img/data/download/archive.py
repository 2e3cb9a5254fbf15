"""A zip from a stranger: looked through before anything of it is written, its checksums compared while it is."""

import errno
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from img2img.archive_members import file_type, is_encrypted, leads_out, zip_name
from img2img.errors import DataError

MAX_RATIO = 50
MAX_BYTES = 50 * 10**9


def unpack(archive: Path, folder: Path) -> int:
    """Unpacks all members into a folder that exists; returns how many files.

    Raises DataError, before anything is written, for a zip that is damaged or encrypted, that would write outside the
    folder, or that says it unpacks to more than 50 times its size or 50 GB; on the way for a wrong checksum. A full
    disk and the like stay an OSError.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            _refuse_bomb(archive, members)
            for member in members:
                member.filename = zip_name(member)  # under which it is unpacked
                _refuse_member(member)
            _refuse_namesakes(members)
            if sum(member.file_size for member in members) > shutil.disk_usage(folder).free:
                raise OSError(errno.ENOSPC, "the disk is too full for it", str(folder))
            opened.extractall(folder, members)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DataError(f"not a whole zip ({error})") from error
    return sum(not member.is_dir() for member in members)


def _refuse_bomb(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    packed, unpacked = archive.stat().st_size, sum(member.file_size for member in members)
    if unpacked > min(MAX_RATIO * packed, MAX_BYTES):
        raise DataError(f"a zip of {packed:,} bytes that unpacks to {unpacked:,} is no set of pictures")


def _refuse_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    if not PurePosixPath(name).parts or leads_out(name):
        raise DataError(f"its member {name!r} leads outside the folder")
    if file_type(member) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"its member {name!r} is a link or a device, not a file")
    if is_encrypted(member):
        raise DataError(f"its member {name!r} is encrypted")


def _refuse_namesakes(members: list[zipfile.ZipInfo]) -> None:
    """No two members of one name, in whatever case, and no file where another member needs a folder."""
    files = Counter(member.filename.casefold() for member in members if not member.is_dir())
    folders = {str(above) for name in files for above in PurePosixPath(name).parents}
    for name, count in files.items():
        if count > 1 or name in folders:
            raise DataError(f"two of its members are called {name!r}")
