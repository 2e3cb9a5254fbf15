"""POST /api/v1/jobs, what may be sent there, and what can be asked of a job: its state, its events, its result."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from img2img.batch.sources.hints_beside import HINTS_SUFFIX
from img2img.conversion.colorize_options import AUTO, ColorizeOptions
from img2img.conversion.options import ConversionOptions
from img2img.errors import Img2ImgError, UsageError
from img2img.photo.formats import PHOTO_SUFFIXES
from img2img.serving.http_options import read_options, steered
from img2img.serving.jobs import FINISHED, ServerJob
from img2img.serving.opened import check_at_hand
from img2img.serving.previews_api import split_task
from img2img.serving.problem import Refusal
from img2img.serving.queue import WorkQueue
from img2img.serving.state import ServerState
from img2img.serving.upload import Upload, receive_files
from img2img.video.kinds import kind_of

MOST_FILES = 1000
LOOK_SECONDS = 0.2
HEARTBEAT_LOOKS = 50


async def post_job(request: Request) -> Response:
    """Answers once all is uploaded; the work goes on whatever becomes of the connection."""
    state: ServerState = request.app.state.server
    task, query = split_task(request)
    options = replace(read_options(task, query, state.settings), jobs=1)
    _check_for_many(options)
    state.queue.check_open()
    if state.unfinished_jobs() >= state.settings.queue:
        raise Refusal(503, "as many jobs as this server keeps are waiting; try again later", retry_after=60)
    await to_thread.run_sync(check_at_hand, options)  # as the check above, before a long upload
    job = state.jobs.new(options)
    try:
        async with state.queue.admitted():
            with state.jobs.reserved(_length(request)) as most:
                check, folder = state.queue.check_open, job.folder
                upload = await receive_files(
                    request, job.uploads, most_bytes=most, most_files=MOST_FILES, check_open=check, beside=folder
                )
        take_uploads(job, upload)
    except BaseException:
        state.jobs.remove(job)
        raise
    state.start(_run(job, state.queue))
    return JSONResponse(job.described(), 202, {"Location": f"/api/v1/jobs/{job.id}"})


def take_uploads(job: ServerJob, upload: Upload) -> None:
    """What the job is to be. Refusal for a file that is no photo's, UsageError for more than one film, and for options
    with which the job could do nothing but fail.

    Files called photo.hints.json are the hints of photo.jpg.
    """
    hints = [path for path in upload.files if path.name.endswith(HINTS_SUFFIX)]
    files = [path for path in upload.files if path not in hints]
    moving = [path for path in files if kind_of(str(path), first_frame=job.options.first_frame)]
    for path in files:
        if path not in moving and path.suffix.lower() not in PHOTO_SUFFIXES:
            raise _no_photo(path)
    if moving and len(upload.files) > 1:
        raise UsageError(f"{moving[0].name} moves: a job is many photos, or one film")
    if not files:
        raise Refusal(400, "no photo came with the request, only hints")
    job.films, job.total = bool(moving), len(files)
    job.options = steered(_with_hints(job.options) if hints else job.options, upload.beside)
    if moving:
        job.options = replace(job.options, max_pixels=None)  # which is for photos; films have limits of their own
        _check_film(job, moving[0])
    else:
        _check_for_many(job.options)


def _no_photo(path: Path) -> Refusal:
    """A film is known by its name, which the body itself may have come without."""
    if not path.suffix:
        return Refusal(
            400,
            f"{path.name}: not known as a photo, and without the suffix that tells a film; send it with its file name, "
            "as a multipart file or with Content-Disposition: attachment; filename=film.mp4",
        )
    return Refusal(
        400, f"{path.name}: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file, or a film"
    )


def _check_film(job: ServerJob, film: Path) -> None:
    from img2img.conversion.films import film_plan  # here: a server that makes no jobs starts sooner

    film_plan([str(film)], job.film_output, job.options)


def _check_for_many(options: ConversionOptions) -> None:
    """As `options.check_many`, in the words of what can be sent."""
    if options.for_one_photo:
        raise UsageError(
            f"{options.for_one_photo} is for one photo: give each of a job's photos its own hints, in a file "
            "photo.hints.json for photo.jpg"
        )


def _with_hints(options: ConversionOptions) -> ConversionOptions:
    if not isinstance(options, ColorizeOptions):
        raise UsageError(f"hints are for colours: leave them out for {options.word}")
    return replace(options, hints=AUTO)


def _length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


async def get_job(request: Request) -> Response:
    return JSONResponse(_job(request).described())


async def delete_job(request: Request) -> Response:
    """Stops it after the photo in hand; its files go at once."""
    state: ServerState = request.app.state.server
    state.jobs.remove(_job(request))
    return Response(status_code=204)


async def job_result(request: Request) -> Response:
    job = _job(request)
    result = job.result  # looked at once: the job's thread takes it back where nothing was made
    if result is None:
        raise Refusal(404, f"the job is {job.status}: " + (job.error or "no result is there"))
    with _gone_told():  # here: where FileResponse looks, it has no answer for a file that is gone by then
        return ResultFile(result, filename=result.name, stat_result=result.stat())


class ResultFile(FileResponse):
    """Begins its answer once the file is open: until then the job may be removed, by its owner or for its age."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        beginning: list[Message] = []

        async def send_once_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                beginning.append(message)
                return
            while beginning:
                await send(beginning.pop())
            await send(message)

        with _gone_told():
            await super().__call__(scope, receive, send_once_open)


@contextmanager
def _gone_told() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise Refusal(404, "the result is not there any more") from None


async def job_events(request: Request) -> Response:
    """The job's state at once and after every change, until it has ended: a lost connection can just ask again."""
    state: ServerState = request.app.state.server
    return StreamingResponse(_events(_job(request), state.queue), media_type="text/event-stream")


async def _events(job: ServerJob, queue: WorkQueue) -> AsyncIterator[str]:
    seen, looks = -1, 0
    while not queue.closing.is_set():
        if job.version != seen:
            seen, ended = job.version, job.status in FINISHED
            yield f"event: {'end' if ended else 'progress'}\nid: {seen}\ndata: {json.dumps(job.described())}\n\n"
            if ended:
                return
        looks += 1
        if looks % HEARTBEAT_LOOKS == 0:
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)


async def _run(job: ServerJob, queue: WorkQueue) -> None:
    try:
        await queue.run_long(job.run)
    except (Refusal, Img2ImgError) as error:  # the server is about to end
        job.error = str(error)


def _job(request: Request) -> ServerJob:
    state: ServerState = request.app.state.server
    return state.jobs.get(request.path_params["id"])
