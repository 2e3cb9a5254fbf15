"""What the server says of itself: its models, its health, its calls as an OpenAPI document."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from img2img.conversion.option import OptionField
from img2img.serving.http_options import TASKS, settable
from img2img.serving.model_cards import is_steerable, model_cards, model_names
from img2img.serving.problem import RETRY_SECONDS, Refusal
from img2img.serving.state import ServerState
from img2img.serving.upload import BESIDE
from img2img.version import __version__

_PROBLEMS = {
    "400": "not a photo",
    "401": "no token, or a wrong one",
    "403": "the server is called by another name, or by a page of somebody else's",
    "404": "not there",
    "408": "it took too long to arrive",
    "413": "too large",
    "422": "an option that is none, a value that it cannot have, or a model that is not there any more",
    "503": "all places are taken; Retry-After says when to come again",
}
_PARTS = {"colorize": ("file", *BESIDE), "translate": ("file",)}


async def healthz(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """It takes photos: the first model is open, and it is not about to end."""
    state: ServerState = request.app.state.server
    state.queue.check_open()
    if not state.ready:
        raise Refusal(503, "the first model is being opened", retry_after=RETRY_SECONDS)
    return JSONResponse({"status": "ready"})


async def get_models(request: Request) -> Response:
    settings = request.app.state.server.settings
    limits = {"max_upload": settings.max_upload, "max_pixels": settings.max_pixels}
    return JSONResponse({"models": await to_thread.run_sync(_models), "limits": limits, "version": __version__})


async def get_openapi(request: Request) -> Response:
    return JSONResponse(openapi())


def _models() -> list[dict[str, Any]]:
    cards = model_cards()
    return [
        {
            "name": name,
            "task": card.task,
            "notes": card.notes,
            "data": card.data,
            "licence": card.licence,
            "native_size": card.native_size,
            "scores": card.score is not None,
            "cycles": card.reverse is not None,
            "steerable": is_steerable(card),
        }
        for task in TASKS
        for name in model_names(task)
        for card in (cards[name],)
    ]


@cache
def openapi() -> dict[str, Any]:
    """OpenAPI 3.1, from the options' own fields."""
    job = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    task = {"name": "task", "in": "query", "schema": {"enum": list(TASKS), "default": "colorize"}}
    several = [task, *_of_jobs([*_parameters("colorize"), *_parameters("translate")])]
    picture, state = _answer("the result", "image/*"), _answer("its state", "application/json")
    paths: dict[str, Any] = {
        f"/api/v1/{task}": {
            "post": _call(f"{task.capitalize()} one photo", picture, _parameters(task), parts=_PARTS[task])
        }
        for task in TASKS
    }
    paths["/api/v1/jobs"] = {
        "post": _call("Convert many photos, or a film", {"202": state["200"]}, several, parts=("file", "reference"))
    }
    paths["/api/v1/jobs/{id}"] = {
        "get": _call("A job's state", state, [job]),
        "delete": _call("Stop a job and remove its files", {"204": {"description": "gone"}}, [job]),
    }
    paths["/api/v1/jobs/{id}/events"] = {
        "get": _call("Its states as they change", _answer("", "text/event-stream"), [job])
    }
    paths["/api/v1/jobs/{id}/result"] = {
        "get": _call("One .zip, or a film", _answer("", "application/octet-stream"), [job])
    }
    for path, words in {
        "/api/v1/models": "The models",
        "/healthz": "Is it alive",
        "/readyz": "Does it take photos",
    }.items():
        paths[path] = {"get": _call(words, _answer(words, "application/json"), [])}
    info = {"title": "img2img", "version": __version__}
    security = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"securitySchemes": security}}


def _call(words: str, answers: dict[str, Any], parameters: list[Any], *, parts: tuple[str, ...] = ()) -> dict[str, Any]:
    problems = {
        status: {"description": text, "content": {"application/problem+json": {}}} for status, text in _PROBLEMS.items()
    }
    call: dict[str, Any] = {"summary": words, "parameters": parameters, "responses": {**answers, **problems}}
    if parts:
        binary = {"type": "string", "format": "binary"}
        body = {"type": "object", "properties": dict.fromkeys(parts, binary), "required": ["file"]}
        call["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {}, "multipart/form-data": {"schema": body}},
        }
    return call


def _answer(words: str, kind: str) -> dict[str, Any]:
    return {"200": {"description": words, "content": {kind: {}}}}


def _parameters(task: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": field.option.help, "schema": _schema(task, field)}
        for name, field in settable(TASKS[task]).items()
    ]


def _of_jobs(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A job's options depend on its task, so that its model can be one of either; a hint is for one photo."""
    named = {each["name"]: each for each in parameters if each["name"] != "hint"}
    return [{**each, "schema": {"type": "string"}} if name == "model" else each for name, each in named.items()]


def _schema(task: str, field: OptionField) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if field.field == "model":
        schema: dict[str, Any] = {"enum": list(model_names(task))}
    elif get_origin(field.kind) is Literal:
        schema = {"enum": list(get_args(field.kind))}
    else:
        schema = {"type": kinds[field.kind]}
    if field.several:
        return {"type": "array", "items": schema}
    ends = {"minimum": field.option.least, "maximum": field.option.most, "default": field.default}
    return schema | {name: value for name, value in ends.items() if value is not None}
