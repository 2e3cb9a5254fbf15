"""Archives of small photos."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

from fuzz.samples.photos import saved
from fuzz.samples.sample import Sample, image

_TIME = (2000, 1, 1, 0, 0, 0)


def archives() -> list[Sample]:
    photos = {"a.png": saved(image("L"), "PNG"), "in/b.jpg": saved(image("RGB"), "JPEG"), "c.txt": b"hm"}
    tar = _tar(photos)
    made = {
        "stored": (".zip", "zip", _zip(photos, zipfile.ZIP_STORED)),
        "deflated": (".zip", "zip", _zip(photos, zipfile.ZIP_DEFLATED)),
        "lzma": (".zip", "zip", _zip(photos, zipfile.ZIP_LZMA)),
        "tar": (".tar", "tar", tar),
        "tar-pax": (".tar", "tar", _tar({"é" * 80 + ".png": photos["a.png"]}, tarfile.PAX_FORMAT)),
        "tgz": (".tar.gz", "bytes", gzip.compress(tar, mtime=0)),
    }
    return [Sample(f"archive/{name}", *kind, ("archive",)) for name, kind in made.items()]


def _zip(files: dict[str, bytes], method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, compress_type=method)
        archive.comment = b"hm"
    return stream.getvalue()


def _tar(files: dict[str, bytes], format: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()
