"""The application: which call is answered by what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp

from img2img.errors import Img2ImgError
from img2img.serving.description import get_models, get_openapi, healthz, readyz
from img2img.serving.guard import Guard
from img2img.serving.jobs_api import delete_job, get_job, job_events, job_result, post_job
from img2img.serving.page_files import get_page, page_file, sign_in, sign_out
from img2img.serving.photos_api import convert_upload
from img2img.serving.previews_api import post_preview, post_view, preview_after, preview_before, preview_suggestions
from img2img.serving.problem import Refusal, answer_problem
from img2img.serving.state import ServerState

API = "/api/v1"
ROUTES = [
    Route("/", get_page),
    Route("/page/{name}", page_file),
    Route("/session", sign_in, methods=["POST"]),
    Route("/session", sign_out, methods=["DELETE"]),
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route(f"{API}/models", get_models),
    Route(f"{API}/openapi.json", get_openapi),
    Route(f"{API}/colorize", convert_upload, methods=["POST"]),
    Route(f"{API}/translate", convert_upload, methods=["POST"]),
    Route(f"{API}/previews", post_preview, methods=["POST"]),
    Route(f"{API}/previews/{{id}}/before", preview_before),
    Route(f"{API}/previews/{{id}}/after", preview_after),
    Route(f"{API}/previews/{{id}}/suggestions", preview_suggestions),
    Route(f"{API}/view", post_view, methods=["POST"]),
    Route(f"{API}/jobs", post_job, methods=["POST"]),
    Route(f"{API}/jobs/{{id}}", get_job),
    Route(f"{API}/jobs/{{id}}", delete_job, methods=["DELETE"]),
    Route(f"{API}/jobs/{{id}}/events", job_events),
    Route(f"{API}/jobs/{{id}}/result", job_result),
]
_ERRORS = (Refusal, Img2ImgError, OSError, MemoryError, ClientDisconnect, HTTPException, Exception)


def build_app(state: ServerState) -> ASGIApp:
    app = Starlette(
        routes=ROUTES,
        lifespan=partial(_lifespan, state),
        exception_handlers=dict.fromkeys(_ERRORS, answer_problem),
    )
    app.state.server = state
    return Guard(app, state.settings)


@asynccontextmanager
async def _lifespan(state: ServerState, app: Starlette) -> AsyncIterator[None]:
    state.start(_warm(state))
    removing = asyncio.create_task(_remove_old_jobs(state))
    yield
    removing.cancel()
    await state.close()


async def _warm(state: ServerState) -> None:
    """Opens the first model; a server without it is ready all the same, for the others."""
    with suppress(Refusal):  # it ends before it has begun
        await state.queue.run(partial(state.models.open_ahead, state.settings.device, state.settings.runtime))
    state.ready = True


async def _remove_old_jobs(state: ServerState) -> None:
    """Whether or not anybody asks for anything: photos stay on no disk for longer than was said."""
    while True:
        await asyncio.sleep(state.jobs.seconds_between_looks)
        await to_thread.run_sync(state.jobs.remove_old)
