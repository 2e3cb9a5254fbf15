"""A real server on this machine that sends a file, and misbehaves as it is told."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """A file at `path`, and `others` that are sent plainly. `cuts` are the bytes after which its next answers end."""

    path: str
    content: bytes
    port: int
    others: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"one"'
    modified: str | None = None
    knows_ranges: bool = True
    knows_if_range: bool = True
    misplaced: int = 0
    cuts: list[int] = field(default_factory=list)
    length: int | None = None
    statuses: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    sent: int = 0
    before_answer: Callable[[], object] = lambda: None

    def url(self, path: str | None = None) -> str:
        return f"http://127.0.0.1:{self.port}{self.path if path is None else f'/{path}'}"

    def stall(self, count: int) -> threading.Event:
        """The next answer stops at so many bytes, its connection open, until the event is set, at most 120 s."""
        send, released = self._send, threading.Event()

        def stalled(to: BaseHTTPRequestHandler, start: int) -> None:
            self.cuts, self.length = [count], len(self.content)
            send(to, start)
            to.wfile.flush()
            self._send, self.length = send, None  # type: ignore[method-assign]
            released.wait(120)

        self._send = stalled  # type: ignore[method-assign]
        return released

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        self.asked.append(to.headers["Range"])
        self.before_answer()
        if to.path in self.redirects:
            to.send_response(302)
            to.send_header("Location", self.redirects[to.path])
            to.end_headers()
            return
        if to.path in self.others:
            to.send_response(200)
            to.end_headers()
            to.wfile.write(self.others[to.path])
            return
        if to.path != self.path or self.statuses:
            to.send_error(self.statuses.pop(0) if self.statuses else 404)
            return
        start = self._start(to)
        if start >= len(self.content):
            to.send_error(416)
            return
        self._send(to, start)

    def _start(self, to: BaseHTTPRequestHandler) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", to.headers["Range"] or "")
        strong = [each for each in (self.etag, self.modified) if each and not each.startswith("W/")]
        same = to.headers["If-Range"] in strong or not self.knows_if_range
        return int(asked[1]) + self.misplaced if asked and self.knows_ranges and same else 0

    def _send(self, to: BaseHTTPRequestHandler, start: int) -> None:
        rest = self.content[start:]
        to.send_response(206 if start else 200)
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        for name, value in (("ETag", self.etag), ("Last-Modified", self.modified)):
            if value:
                to.send_header(name, value)
        if self.length != -1:
            to.send_header("Content-Length", str(self.length or len(rest)))
        to.end_headers()
        piece = rest[: self.cuts.pop(0)] if self.cuts else rest
        self.sent += len(piece)
        to.wfile.write(piece)


@contextlib.contextmanager
def served_file(path: str, content: bytes) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                served.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        served = Site(path, content, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
