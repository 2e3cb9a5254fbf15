"""The server as a process: it listens, says where, and ends as it is asked to."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

from img2img.atomic_file import reason_for
from img2img.errors import Img2ImgError
from img2img.serving.app import build_app
from img2img.serving.opened import OpenedModels
from img2img.serving.protocol import QuietServer, ServeConfig
from img2img.serving.settings import ServeSettings
from img2img.serving.state import ServerState


def run_server(
    settings: ServeSettings, models: OpenedModels, *, tell: Callable[[str], None], open_browser: bool
) -> None:
    """Serves until SIGTERM or Ctrl-C; `tell` gets the address. Img2ImgError where nobody can listen there."""
    with _listening(settings) as listener:
        address = _address(settings.host, listener.getsockname()[1])
        state = ServerState.of(settings, models)
        server = QuietServer(ServeConfig(build_app(state), patience=settings.patience, closing=state.queue.closing))
        logging.getLogger("uvicorn").setLevel(logging.ERROR)  # its warnings are of what clients do wrong
        tell(address)
        if open_browser and _has_a_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        asyncio.run(server.serve([listener]))


def _has_a_screen() -> bool:
    """Where there is none, a browser of text would take the terminal over."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _listening(settings: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or reason_for(error, "read")
        raise Img2ImgError(f"{settings.host}:{settings.port}: {reason}; choose another --port or --host") from error


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
