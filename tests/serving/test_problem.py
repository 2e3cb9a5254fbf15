"""Errors as answers: their status, their words, and nothing of a traceback."""

import asyncio
import errno
import json
import logging
from typing import Any

import pytest

from img2img.errors import Img2ImgError, ModelError, UnreadablePhoto, UnwritablePhoto, UsageError
from img2img.serving import description
from img2img.serving.app import build_app
from img2img.serving.opened import OpenedModels
from img2img.serving.problem import refusal_for
from img2img.serving.settings import ServeSettings
from img2img.serving.state import ServerState


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnreadablePhoto("a.jpg: not a photo"), 400),
        (UsageError("--quality 0: give a whole number"), 422),
        (UnwritablePhoto("a.webp: more than WEBP can hold; choose --format png"), 422),
        (ModelError("mine.onnx: is damaged"), 500),
        (OSError(errno.ENOSPC, "No space left on device"), 503),
        (MemoryError(), 503),
    ],
)
def test_each_kind_of_error_has_its_status(error: Exception, status: int) -> None:
    refusal = refusal_for(error)
    assert refusal.status == status
    assert (refusal.retry_after is not None) == (status == 503)
    if isinstance(error, Img2ImgError):
        assert refusal.detail == str(error)


def test_a_full_disk_is_found_behind_the_error_that_it_became() -> None:
    error = UnwritablePhoto("a.jpg: could not be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert (refusal_for(error).status, refusal_for(error).detail) == (
        503,
        "the disk is full; free some space and run it again",
    )


def test_a_mistake_of_ours_is_logged_and_told_without_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("the secret path /root/x")

    monkeypatch.setattr(description, "openapi", broken)
    with caplog.at_level(logging.ERROR, "img2img"):
        status, body = asked("/api/v1/openapi.json")
    assert status == 500
    assert json.loads(body)["detail"].startswith("RuntimeError: a mistake in img2img, not in the request")
    assert b"secret" not in body
    assert "the secret path" in caplog.text


def asked(path: str) -> tuple[int, bytes]:
    """The answer of the application itself, without a server around it."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    state = ServerState.of(ServeSettings(), OpenedModels(1))
    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "state": {}}

    async def ask() -> None:
        await build_app(state)(scope, receive, send)

    asyncio.run(ask())
    state.jobs.close()
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)
