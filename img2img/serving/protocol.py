"""HTTP/1.1 as uvicorn speaks it, with a limit on how long a request may take to arrive and an answer to be taken."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

LEAST_RATE = 1000  # bytes a second of a body, once the first `patience` is over
LONGEST_BODY = 60  # times `patience`
MOST_CONNECTIONS = 1000
LINGER = 2.0  # seconds, for what a client that was refused had sent already


class ServeConfig(uvicorn.Config):
    """uvicorn's, for `BoundedProtocol`. `patience`: seconds; `closing` is set when the server is about to end."""

    def __init__(self, app: ASGIApp, *, patience: float, closing: threading.Event) -> None:
        super().__init__(
            app,
            http=BoundedProtocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=15,
        )
        self.patience, self.closing = patience, closing


class BoundedProtocol(H11Protocol):
    """One connection."""

    config: ServeConfig

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does so only where the listener names its protocol; without it an answer's body waits 40 ms
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._since: float | None = self.loop.time()
        self._count = 0
        self._stuck: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._leave: asyncio.TimerHandle | None = None
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._stuck, self._look, self._leave):
            if timer:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._leave:
            return
        if self._since is None:
            self._since, self._count = self.loop.time(), 0
        self._count += len(data)
        super().data_received(data)
        if not self._arriving():
            self._since = None

    def on_response_complete(self) -> None:
        self._since = None
        super().on_response_complete()
        if self._arriving():
            self._since, self._count = self.loop.time(), 0

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.config.patience, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stuck:
            self._stuck.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "Bad Request", "the request is no HTTP")

    def _arriving(self) -> bool:
        """Whether a request has begun and is not whole."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _look_again(self) -> None:
        if self._leave or self.transport.is_closing():
            return
        if self._since is not None and self._is_late(self.loop.time() - self._since):
            self._refuse(408, "Request Timeout", "the request took too long to arrive")
            return
        self._look = self.loop.call_later(min(1.0, self.config.patience / 4), self._look_again)

    def _is_late(self, seconds: float) -> bool:
        patience, state = self.config.patience, self.conn.their_state
        if state is h11.IDLE:
            return seconds > patience
        if state is not h11.SEND_BODY:
            return False
        slow = seconds > patience and self._count < LEAST_RATE * seconds
        return slow or seconds > LONGEST_BODY * patience or (self.config.closing.is_set() and seconds > 1)

    def _refuse(self, status: int, phrase: str, detail: str) -> None:
        """Written by hand: what the connection is in the middle of cannot be finished."""
        if self.cycle is None or not self.cycle.response_started:
            body = json.dumps({"title": phrase, "status": status, "detail": detail}).encode()
            lines = (f"HTTP/1.1 {status} {phrase}", "Content-Type: application/problem+json", "Connection: close")
            head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "X-Content-Type-Options: nosniff", "", ""))
            self.transport.write(head.encode() + body)
        self._end_softly()

    def _end_softly(self) -> None:
        """Closed with bytes unread, the connection would be reset, and the answer be lost to a client that still sends.

        So only our side ends now: what comes is thrown away until the client ends its own, or `LINGER` is over.
        """
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._leave = self.loop.call_later(LINGER, self.transport.close)


class QuietServer(uvicorn.Server):
    """uvicorn's, which at a signal refuses what waits, finishes what is in hand, and does not raise it again."""

    def __init__(self, config: ServeConfig) -> None:
        super().__init__(config)
        self._closing = config.closing

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._closing.set()
        super().handle_exit(sig, frame)
        self._captured_signals.clear()
