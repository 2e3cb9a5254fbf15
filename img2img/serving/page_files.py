"""The page: its files, and the exchange of the server's token for a cookie."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from img2img.serving.guard import COOKIE, POLICY, cookie_for, same_secret
from img2img.serving.problem import Refusal
from img2img.serving.state import ServerState

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE = files("img2img.serving") / "page"
_MOST_FORM = 4096
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;color-scheme:light dark}"
    "form{display:grid;gap:.75rem;max-width:20rem;padding:1rem}input,button{font:inherit;padding:.5rem}"
)
_SIGN_IN = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in - img2img</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>
<main><form method="post" action="/session"><h1>img2img</h1>%s
<label for="token">This server's token, from whoever runs it</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form></main></html>"""


async def get_page(request: Request) -> Response:
    """The page, or for who is not signed in the form that asks for the token."""
    if not request.state.signed_in:
        return _form()
    return HTMLResponse((_PAGE / "index.html").read_bytes())


async def page_file(request: Request) -> Response:
    name = request.path_params["name"]
    kind = _KINDS.get(f".{name.rpartition('.')[2]}")
    known = {each.name: each for each in _PAGE.iterdir()}
    if kind is None or name not in known:
        raise Refusal(404, "no such page or call; /api/v1/openapi.json lists them")
    return Response(known[name].read_bytes(), media_type=kind)


async def sign_in(request: Request) -> Response:
    """The token, once, for a cookie that scripts cannot read and other pages cannot use."""
    state: ServerState = request.app.state.server
    token, given = state.settings.token, await _given_token(request)
    if token is None:
        return RedirectResponse("/", 303)
    if not same_secret(given, token):
        return _form("<p role=alert>That is not the token.</p>")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, cookie_for(token), httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


async def sign_out(request: Request) -> Response:
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer


async def _given_token(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM:
            raise Refusal(413, "more than a token")
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()


def _form(words: str = "") -> Response:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"{POLICY}; style-src 'sha256-{digest}'"
    return HTMLResponse(_SIGN_IN % words, 401, {"Content-Security-Policy": policy, "WWW-Authenticate": "Bearer"})
