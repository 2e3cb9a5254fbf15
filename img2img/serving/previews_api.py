"""What the page shows: POST /api/v1/previews, its two pictures and suggestions, and POST /api/v1/view.

The last is for what browsers cannot show.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from img2img.batch.task import Colorizing
from img2img.choices import meant_or_all, one_of
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
from img2img.steering.colors import hexadecimal
from img2img.steering.hints import Coordinate
from img2img.steering.request import Reference

PATH = "/api/v1/previews"
SHAPING = ("strength", "warmth", "palette", "influence", "reference", "hint")
"""What shapes a preview's colours: options of colorize, and `reference`, the id of another preview."""
_UNCHANGING = {"Cache-Control": "private, max-age=3600, immutable"}  # a preview's pictures, under its own id


async def post_preview(request: Request) -> Response:
    state: ServerState = request.app.state.server
    task, query = split_task(request)
    options = read_options(task, query, state.settings)
    async with state.queue.admitted():
        with request_folder() as folder:
            photo = (await one_upload(request, folder)).files[0]
            work = partial(_made, photo, options, state.models)
            preview = await unless_gone(state.queue.run(work), until_gone(request))
    if preview is None:
        return Response(status_code=400)  # its client has left
    return JSONResponse(_described(state.previews.put(preview), preview), 201)


async def preview_before(request: Request) -> Response:
    return Response(_preview(request).before, headers=_UNCHANGING, media_type="image/jpeg")


async def preview_after(request: Request) -> Response:
    """Query: what shapes the colours, hints and all; `reference` is the id of another preview; `card`: smaller."""
    state: ServerState = request.app.state.server
    asked = _asked(request, ("card",))
    make = partial(_preview(request).coloured, asked, for_card="card" in request.query_params)
    picture = await to_thread.run_sync(make, limiter=state.pictures)
    return Response(picture, headers=_UNCHANGING, media_type="image/jpeg")


async def preview_suggestions(request: Request) -> Response:
    """The likeliest colours at the query's `x` and `y`; the rest of the query is that of `preview_after`."""
    state: ServerState = request.app.state.server
    asked = _asked(request, ("x", "y"))
    x, y = (Coordinate.parse(request.query_params.get(name, "")) for name in ("x", "y"))
    colors = _preview(request).colors
    if colors is None:
        raise UsageError("colours are suggested for photos that are coloured, not translated")
    suggested = await to_thread.run_sync(partial(colors.suggestions, x, y, asked), limiter=state.pictures)
    return JSONResponse(
        [{"color": hexadecimal(each.color), "probability": round(each.probability, 4)} for each in suggested]
    )


async def post_view(request: Request) -> Response:
    """The photo itself at its full size, as browsers show it."""
    state: ServerState = request.app.state.server
    async with state.queue.admitted():
        with request_folder() as folder:
            photo = (await one_upload(request, folder)).files[0]
            work = partial(_viewed, photo, state.settings.max_pixels)
            picture = await unless_gone(state.queue.run(work), until_gone(request))
    return Response(picture or b"", media_type="image/jpeg")


def split_task(request: Request) -> tuple[str, list[tuple[str, str]]]:
    """The query's `task`, colorize by default, and the options beside it. Raises UsageError."""
    query = request.query_params.multi_items()
    task = dict(query).get("task", "colorize")
    if task not in TASKS:
        raise UsageError(f"task {task!r}: give {one_of(task, TASKS)}")
    return task, [(name, value) for name, value in query if name != "task"]


def _preview(request: Request) -> Preview:
    state: ServerState = request.app.state.server
    return state.previews.get(request.path_params["id"])


def _asked(request: Request, others: tuple[str, ...]) -> Colorizing:
    """What the query asks of the colours; `others`: what it may hold besides. Raises UsageError, and Refusal."""
    state: ServerState = request.app.state.server
    query = [(name, text) for name, text in request.query_params.multi_items() if name not in others]
    references = [text for name, text in query if name == "reference"]
    if unknown := [name for name, _ in query if name not in SHAPING]:
        raise UsageError(f"no option {unknown[0]!r} here; {meant_or_all(unknown[0], SHAPING)}")
    if len(references) > 1:
        raise UsageError("--reference stands twice")
    options = read_options("colorize", [each for each in query if each[0] != "reference"], state.settings)
    assert isinstance(options, ColorizeOptions)
    if not references:
        return options.task()
    reference = Reference(references[0], state.previews.get(references[0]).card)
    task = replace(options, influence=None).task()  # which would ask for the reference's file
    influence = 1.0 if options.influence is None else options.influence
    return replace(task, steering=replace(task.steering, reference=reference, influence=influence))


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
        "unlike": preview.unlike,
        "before": f"{PATH}/{name}/before",
        "after": f"{PATH}/{name}/after",
    }
