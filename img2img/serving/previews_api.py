"""What the page shows: POST /api/v1/previews, its two pictures, and POST /api/v1/view for what browsers cannot show."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.options import ConversionOptions
from img2img.errors import Img2ImgError, UsageError
from img2img.photo import read_photo
from img2img.serving.http_options import TASKS, read_options
from img2img.serving.opened import OpenedModels
from img2img.serving.photos_api import one_upload, until_gone, without_folder
from img2img.serving.previews import Preview, make_preview, shown_jpeg
from img2img.serving.queue import unless_gone
from img2img.serving.state import ServerState
from img2img.serving.upload import request_folder

PATH = "/api/v1/previews"
_UNCHANGING = {"Cache-Control": "private, max-age=3600, immutable"}  # a preview's pictures, under its own id


async def post_preview(request: Request) -> Response:
    state: ServerState = request.app.state.server
    task, query = split_task(request)
    options = read_options(task, query, state.settings)
    async with state.queue.admitted():
        with request_folder() as folder:
            photo = await one_upload(request, folder)
            work = partial(_made, photo, options, state.models)
            preview = await unless_gone(state.queue.run(work), until_gone(request))
    if preview is None:
        return Response(status_code=400)  # its client has left
    return JSONResponse(_described(state.previews.put(preview), preview), 201)


async def preview_before(request: Request) -> Response:
    return Response(_preview(request).before, headers=_UNCHANGING, media_type="image/jpeg")


async def preview_after(request: Request) -> Response:
    strength = _strength(request)
    state: ServerState = request.app.state.server
    make = partial(_preview(request).coloured, strength, for_card="card" in request.query_params)
    picture = await to_thread.run_sync(make, limiter=state.pictures)
    return Response(picture, headers=_UNCHANGING, media_type="image/jpeg")


async def post_view(request: Request) -> Response:
    """The photo itself at its full size, as browsers show it."""
    state: ServerState = request.app.state.server
    async with state.queue.admitted():
        with request_folder() as folder:
            photo = await one_upload(request, folder)
            work = partial(_viewed, photo, state.settings.max_pixels)
            picture = await unless_gone(state.queue.run(work), until_gone(request))
    return Response(picture or b"", media_type="image/jpeg")


def split_task(request: Request) -> tuple[str, list[tuple[str, str]]]:
    """The query's `task`, colorize by default, and the options beside it. Raises UsageError."""
    query = request.query_params.multi_items()
    task = dict(query).get("task", "colorize")
    if task not in TASKS:
        raise UsageError(f"task {task!r}: give one of {', '.join(TASKS)}")
    return task, [(name, value) for name, value in query if name != "task"]


def _preview(request: Request) -> Preview:
    state: ServerState = request.app.state.server
    return state.previews.get(request.path_params["id"])


def _strength(request: Request) -> float:
    try:
        strength = float(request.query_params.get("strength", "1"))
    except ValueError:
        strength = math.nan
    return ColorizeOptions(strength=strength).strength


def _made(photo: Path, options: ConversionOptions, models: OpenedModels) -> Preview:
    try:
        return make_preview(photo, options, models)
    except Img2ImgError as error:
        raise without_folder(error, photo.parent) from error.__cause__


def _viewed(photo: Path, max_pixels: int) -> bytes:
    try:
        return shown_jpeg(read_photo(photo, max_pixels=max_pixels))
    except Img2ImgError as error:
        raise without_folder(error, photo.parent) from error.__cause__


def _described(name: str, preview: Preview) -> dict[str, Any]:
    return {
        "id": name,
        "width": preview.width,
        "height": preview.height,
        "shown": preview.shown,
        "score": preview.score,
        "before": f"{PATH}/{name}/before",
        "after": f"{PATH}/{name}/after",
    }
