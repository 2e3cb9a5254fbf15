"""Before any call: is this server meant, may the caller ask, does the request come from its own page."""

from __future__ import annotations

import hashlib
import hmac
import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from img2img.serving.problem import Refusal, problem
from img2img.serving.settings import ServeSettings

COOKIE = "img2img"
OPEN_PATHS = ("/healthz", "/readyz")
SIGN_IN = ("/", "/session")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'"
)
_HEADERS = {  # no-referrer would make the sign-in form's Origin null
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_log = logging.getLogger(__name__)


class Guard:
    """An ASGI application around another. `scope["state"]["signed_in"]` tells it whether the caller is known."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(send)
        refusal = self._refusal(scope)
        try:
            await (problem(refusal) if refusal else self._app)(scope, receive, guarded)
        except Exception:  # was answered, unless the answer had begun
            _log.exception("a mistake in img2img, please report it with these lines")

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._means_us(host, scope):
            return Refusal(403, f"this server is not called {host!r}: --allow-host NAME lets it be")
        if scope["method"] not in SAFE_METHODS and not from_our_page(headers):
            return Refusal(403, "the request comes from a page of somebody else's")
        signed_in = scope.setdefault("state", {})["signed_in"] = self._known(headers)
        if signed_in or scope["path"] in OPEN_PATHS or scope["path"] in SIGN_IN:
            return None
        return Refusal(401, "send the server's token: Authorization: Bearer TOKEN")

    def _means_us(self, host: str, scope: Scope) -> bool:
        """By name, or by the address that the connection came to, which DNS cannot lend to another."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        own_address = (scope.get("server") or ("",))[0]
        return self._settings.names_us(name) or name == own_address

    def _known(self, headers: Headers) -> bool:
        token = self._settings.token
        if token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and same_secret(given.strip(), token):
            return True
        return same_secret(_cookie(headers), cookie_for(token))


def from_our_page(headers: Headers) -> bool:
    """No Origin is fine: not a browser. Else the page must be of the host that the request is for."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc == headers.get("host")


def cookie_for(token: str) -> str:
    """What the cookie holds instead of the token itself."""
    return hmac.new(token.encode(), b"the page of img2img serve", hashlib.sha256).hexdigest()


def same_secret(given: str, secret: str) -> bool:
    """In a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
