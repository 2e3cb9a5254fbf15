"""Errors as `application/problem+json` (RFC 9457), in the words of the command line."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from img2img.atomic_file import reason_for
from img2img.errors import Img2ImgError, MissingModel, ModelError, UnwritablePhoto, UsageError

RETRY_SECONDS = 5
_log = logging.getLogger(__name__)
_LACKING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Refusal(Exception):
    """An answer with this status, these words and further members."""

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after, self.members = status, detail, retry_after, members


def problem(refusal: Refusal) -> Response:
    title = HTTPStatus(refusal.status).phrase
    members = {"title": title, "status": refusal.status, "detail": refusal.detail, **refusal.members}
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(members, refusal.status, headers, "application/problem+json")


def refusal_for(error: Exception) -> Refusal:
    """What is answered for an error that came out of the work; a mistake of ours goes to the log with its traceback."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, UsageError):
        return Refusal(422, str(error))
    if isinstance(error, MemoryError) or (cause := _lacking(error)) is not None:
        words = "not enough memory; try again later" if isinstance(error, MemoryError) else str(cause)
        return Refusal(503, words, retry_after=RETRY_SECONDS)
    if isinstance(error, MissingModel):  # callers name only what was there when the server began
        return Refusal(422, f"{error} (what was removed since then, `img2img models add` brings back)")
    if isinstance(error, ModelError):
        return Refusal(500, str(error))
    if isinstance(error, UnwritablePhoto):
        return Refusal(422, str(error))
    if isinstance(error, Img2ImgError):
        return Refusal(400, str(error))
    _log.error("a mistake in img2img, please report it with these lines", exc_info=error)
    return Refusal(500, f"{type(error).__name__}: a mistake in img2img, not in the request; the server's log has more")


def _lacking(error: BaseException | None) -> str | None:
    """The words for a full disk, or too many open files, that an error comes from; None for others."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _LACKING:
            return reason_for(error, "written")
        error = error.__cause__
    return None


async def answer_problem(request: Request, error: Exception) -> Response:
    """Starlette's exception handler for all of them."""
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # which nobody is there to read
    return problem(refusal_for(error))


def _of_http(error: HTTPException) -> Response:
    words = {404: "no such page or call; /api/v1/openapi.json lists them", 405: "not with this method"}
    answer = problem(Refusal(error.status_code, words.get(error.status_code, error.detail)))
    answer.headers.update(error.headers or {})
    return answer
