"""A request's body, streamed to files in a folder of its own, within limits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from img2img.batch.sources.hints_beside import HINTS_SUFFIX
from img2img.photo.formats import sniff_format
from img2img.serving.problem import Refusal

PIECE = 1 << 20  # bytes to a file at once: each turn to a thread and back waits for those that convert
LONGEST_STEM = 150  # bytes; of the 255 that file systems take, some stay for a number, a model's name and a suffix
LONGEST_SUFFIX = 10
_NAMELESS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "AVIF": ".avif",
    "HEIF": ".heic",
}


BESIDE = ("reference", "hints")
"""Parts that steer the colours of the photos in the others; named as the command line's options."""


@dataclass
class Upload:
    """The photos that a request brings, and the files of the parts in BESIDE that came with them, by name."""

    files: list[Path]
    beside: dict[str, Path] = field(default_factory=dict)


@contextmanager
def request_folder() -> Iterator[Path]:
    """Gone at the end, with all that is in it."""
    with TemporaryDirectory(prefix="img2img-serve-", ignore_cleanup_errors=True) as name:
        yield Path(name)


async def receive_files(
    request: Request,
    folder: Path,
    *,
    most_bytes: int,
    most_files: int,
    check_open: Callable[[], None],
    beside: Path | None = None,
) -> Upload:
    """The body itself, or the files of a multipart body, under their own names in the folder.

    `beside`: the folder for the parts in BESIDE, each in a folder of its name; None where there may be none of them.
    Raises Refusal: 413 for too much, as soon as that is known, 400 for no file at all.
    """
    limited = _Limited(request, most_bytes, check_open)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        upload = await _parts(limited.request, folder, most_files, beside)
    else:
        upload = Upload([await _whole(limited.request, folder)])
    if not upload.files:
        raise Refusal(400, "no photo came with the request: send it as the body, or as a multipart file")
    return upload


class _Limited:
    """A request whose body is counted while it comes, and refused beyond the limit."""

    def __init__(self, request: Request, most: int, check_open: Callable[[], None]) -> None:
        self._receive, self._most, self._count, self._check_open = request.receive, most, 0, check_open
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            raise self._too_large()
        self.request = Request(request.scope, self._counted)

    async def _counted(self) -> Message:
        message = await self._receive()
        self._check_open()
        self._count += len(message.get("body", b""))
        if self._count > self._most:
            raise self._too_large()
        return message

    def _too_large(self) -> Refusal:
        return Refusal(
            413, f"more than the {self._most / 1e6:,.1f} MB that this server takes (--max-upload, --job-space)"
        )


async def _whole(request: Request, folder: Path) -> Path:
    path, start, piece = folder / "body", b"", bytearray()
    with path.open("wb") as stream:
        async for chunk in request.stream():
            start = start or chunk[:32]
            piece += chunk
            if len(piece) >= PIECE:
                await run_in_threadpool(stream.write, bytes(piece))
                piece.clear()
        await run_in_threadpool(stream.write, bytes(piece))
    name = _said_name(request) or f"photo{_NAMELESS.get(sniff_format(start) or '', '')}"
    return path.rename(folder / plain_name(name))


def _said_name(request: Request) -> str:
    _, said = parse_options_header(request.headers.get("content-disposition", "").encode("latin-1"))
    return said.get(b"filename", b"").decode("utf-8", "replace")


async def _parts(request: Request, folder: Path, most_files: int, beside: Path | None) -> Upload:
    upload = Upload([])
    more = len(BESIDE) if beside else 0
    try:
        async with request.form(max_files=most_files + more, max_fields=more) as form:
            for name, part in form.multi_items():
                if beside and name in BESIDE and name not in upload.beside:
                    upload.beside[name] = await run_in_threadpool(_kept_beside, part, beside / name)
                elif isinstance(part, UploadFile) and name not in BESIDE:
                    upload.files.append(await run_in_threadpool(_kept, part, folder))
                else:
                    raise Refusal(422, f"the part {name[:LONGEST_STEM]!r} is not for this call, or stands twice")
    except HTTPException as error:
        raise Refusal(400, f"the multipart body cannot be read: {error.detail}") from error
    if len(upload.files) > most_files:
        raise Refusal(400, f"Too many files: {most_files} at most; POST /api/v1/jobs takes many")
    return upload


def _kept_beside(part: UploadFile | str, folder: Path) -> Path:
    folder.mkdir()
    if isinstance(part, UploadFile):
        return _kept(part, folder)
    path = folder / folder.name  # a field, not a file: text of a script's own
    path.write_text(part, encoding="utf-8", errors="replace")
    return path


def _kept(upload: UploadFile, folder: Path) -> Path:
    path = folder / plain_name(upload.filename or "photo")
    number = 1
    while path.exists() or path.name in BESIDE:  # which is a folder's name, for a part that may come yet
        number += 1
        path = path.with_name(f"{plain_name(upload.filename or 'photo', f' ({number})')}")
    with path.open("xb") as target:
        shutil.copyfileobj(upload.file, target)
    return path


def plain_name(name: str, addition: str = "") -> str:
    """A file's name without its folders, and without what a file system or a pattern would take for something else."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(each if each.isprintable() and each not in '<>:"|?*%[]' else "_" for each in last).lstrip(". ")
    stem, suffix = _stem_and_suffix(kept or "photo")
    return f"{_cut(stem, LONGEST_STEM)}{addition}{suffix}"


def _stem_and_suffix(name: str) -> tuple[str, str]:
    """A file of hints keeps its photo's stem, however long that is."""
    if name.endswith(HINTS_SUFFIX):
        return name.removesuffix(HINTS_SUFFIX), HINTS_SUFFIX
    path = PurePosixPath(name)
    return path.stem, _cut(path.suffix, LONGEST_SUFFIX)


def _cut(text: str, most_bytes: int) -> str:
    """Whole characters: one of Japanese has three bytes."""
    return text.encode()[:most_bytes].decode(errors="ignore")


def plain_words(words: str, folder: Path) -> str:
    """Without the server's folder, nor those of the parts beside the photos."""
    for each in (*(folder / name for name in BESIDE), folder):
        words = words.replace(f"{each}/", "")
    return words
