"""One photo in, one photo out: POST /api/v1/colorize and /translate."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from img2img.batch.job import Job
from img2img.batch.one_photo import converted_photo
from img2img.batch.outcome import Outcome
from img2img.conversion.options import ConversionOptions
from img2img.errors import Img2ImgError
from img2img.photo.formats import format_of_suffix, output_suffix
from img2img.serving.http_options import read_options, steered
from img2img.serving.opened import OpenedModels
from img2img.serving.problem import Refusal
from img2img.serving.queue import unless_gone
from img2img.serving.state import ServerState
from img2img.serving.upload import PIECE, Upload, plain_words, receive_files, request_folder

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}


async def convert_upload(request: Request) -> Response:
    """The result's bytes are those of `img2img colorize PHOTO -o RESULT` or `img2img translate`."""
    state: ServerState = request.app.state.server
    options = read_options(request.url.path.rpartition("/")[2], request.query_params.multi_items(), state.settings)
    async with state.queue.admitted():
        with ExitStack() as cleaning:
            folder = cleaning.enter_context(request_folder())
            upload = await one_upload(request, folder, beside=folder)
            options = steered(options, upload.beside)
            work = partial(_converted, upload.files[0], options, state.models)
            outcome = await unless_gone(state.queue.run(work), until_gone(request))
            if outcome is None:
                return Response(status_code=400)  # its client has left
            return _answer(outcome, options, cleaning.pop_all())


async def one_upload(request: Request, folder: Path, *, beside: Path | None = None) -> Upload:
    """The one photo that a request brings, and what comes beside it as of `receive_files`. Raises Refusal."""
    state: ServerState = request.app.state.server
    most, check = state.settings.max_upload, state.queue.check_open
    return await receive_files(request, folder, most_bytes=most, most_files=1, check_open=check, beside=beside)


async def until_gone(request: Request) -> None:
    """Returns when the client has left; its body must have come whole."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def without_folder(error: Img2ImgError, folder: Path) -> Img2ImgError:
    """The same error, which names the files as their sender does."""
    told = type(error)(plain_words(str(error), folder))
    told.__cause__ = error.__cause__
    return told


def _converted(photo: Path, options: ConversionOptions, models: OpenedModels) -> Outcome:
    target = photo.with_name(f"{photo.stem}.{options.word}{output_suffix(photo, options.format)}")
    try:
        return converted_photo(Job(photo, target), *models.converter(options))
    except Img2ImgError as error:
        raise without_folder(error, photo.parent) from error.__cause__


def _answer(outcome: Outcome, options: ConversionOptions, cleaning: ExitStack) -> Response:
    assert outcome.target is not None
    if outcome.status == "skipped":
        cleaning.close()
        raise _refusal_of_skipped(outcome)
    headers = {"Img2img-Flags": _in_ascii(", ".join(outcome.flags))} if outcome.flags else {}
    if outcome.score is not None:
        headers["Img2img-Score"] = f"{outcome.score:.4f}"
    kind = MEDIA_TYPES[format_of_suffix(outcome.target.suffix) or "PNG"]
    return KeptFile(cleaning, outcome.target, headers=headers, media_type=kind, filename=outcome.target.name)


def _refusal_of_skipped(outcome: Outcome) -> Refusal:
    if outcome.score is not None:
        return Refusal(
            422, f"{outcome.source.name}: its score {outcome.score:.2f} is below --min-score", score=outcome.score
        )
    return Refusal(422, f"{outcome.source.name}: {', '.join(outcome.flags)}, and --if-color skip was asked for")


def _in_ascii(text: str) -> str:
    """For a header: a flag may name what a file brought along."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text)


class KeptFile(FileResponse):
    """A file of a folder that goes when it was sent, or could not be; a small one is sent in one piece."""

    chunk_size = PIECE

    def __init__(
        self, cleaning: ExitStack, path: Path, *, headers: dict[str, str], media_type: str, filename: str
    ) -> None:
        self._cleaning, self._file, size = cleaning, path, path.stat()
        super().__init__(path, headers=headers, media_type=media_type, filename=filename, stat_result=size)
        self._small = size.st_size <= PIECE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._cleaning:
            if self._small:
                content = await run_in_threadpool(self._file.read_bytes)
                await Response(content, headers=self.headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
