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
from img2img.serving.previews_api import PATH, SHAPING
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
_TASK = {"name": "task", "in": "query", "schema": {"enum": list(TASKS), "default": "colorize"}}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_SEEN = ("model", "first-frame", "size")  # what a preview is made with
_CARD = {
    "name": "card",
    "in": "query",
    "description": "With any value or none: smaller.",
    "allowEmptyValue": True,
    "schema": {"type": "string"},
}
_SIDES = {"x": "left", "y": "top"}
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
    paths = {**_photo_calls(), **_preview_calls(), **_job_calls()}
    for path, words in {
        "/api/v1/models": "The models",
        "/healthz": "Is it alive",
        "/readyz": "Does it take photos",
    }.items():
        paths[path] = {"get": _call(words, _answer(words, "application/json"), [])}
    info = {"title": "img2img", "version": __version__}
    security = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"securitySchemes": security}}


def _photo_calls() -> dict[str, Any]:
    picture = _answer("the result", "image/*")
    return {
        f"/api/v1/{task}": {
            "post": _call(f"{task.capitalize()} one photo", picture, _parameters(task), parts=_PARTS[task])
        }
        for task in TASKS
    }


def _preview_calls() -> dict[str, Any]:
    jpeg, told = _answer("a small picture", "image/jpeg"), _answer("colours", "application/json")
    seen = [_TASK, *(each for each in _of_either() if each["name"] in _SEEN)]
    shaping = [each for each in _parameters("colorize") if each["name"] in SHAPING]
    shaping.append(_text("reference", "The id of another preview, to whose colours this one is to lean."))
    place = [_text(side, f"From the {end}: 52%, or pixels.", required=True) for side, end in _SIDES.items()]
    made = {"201": _answer("its id, and where its pictures are", "application/json")["200"]}
    return {
        PATH: {"post": _call("A photo small, kept to try colours on", made, seen, parts=("file",))},
        f"{PATH}/{{id}}/before": {"get": _call("The photo small", jpeg, [_ID])},
        f"{PATH}/{{id}}/after": {"get": _call("Its result in these colours", jpeg, [_ID, *shaping, _CARD])},
        f"{PATH}/{{id}}/suggestions": {
            "get": _call("The likeliest colours at a place", told, [_ID, *place, *shaping]),
        },
    }


def _job_calls() -> dict[str, Any]:
    state, options = _answer("its state", "application/json"), [_TASK, *_of_jobs()]
    taken, gone = {"202": state["200"]}, {"204": {"description": "gone"}}
    events, result = _answer("", "text/event-stream"), _answer("", "application/octet-stream")
    return {
        "/api/v1/jobs": {"post": _call("Convert many photos, or a film", taken, options, parts=("file", "reference"))},
        "/api/v1/jobs/{id}": {
            "get": _call("A job's state", state, [_ID]),
            "delete": _call("Stop a job and remove its files", gone, [_ID]),
        },
        "/api/v1/jobs/{id}/events": {"get": _call("Its states as they change", events, [_ID])},
        "/api/v1/jobs/{id}/result": {"get": _call("One .zip, or a film", result, [_ID])},
    }


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


def _of_either() -> list[dict[str, Any]]:
    """Where the options depend on the task, so that the model can be one of either."""
    named = {each["name"]: each for task in TASKS for each in _parameters(task)}
    return [{**each, "schema": {"type": "string"}} if name == "model" else each for name, each in named.items()]


def _of_jobs() -> list[dict[str, Any]]:
    """All but the one that is for one photo."""
    return [each for each in _of_either() if each["name"] != "hint"]


def _text(name: str, words: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words, "required": required, "schema": {"type": "string"}}


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
