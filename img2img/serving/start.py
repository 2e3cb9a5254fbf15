"""A server's start: its first model is opened in a thread while the rest of the server is imported."""

from __future__ import annotations

import threading
from collections.abc import Callable

from img2img.machine import usable_cores
from img2img.serving.opened import OpenedModels
from img2img.serving.settings import ServeSettings


def start_server(settings: ServeSettings, *, tell: Callable[[str], None], open_browser: bool) -> None:
    """Serves until SIGTERM or Ctrl-C; `tell` gets the address. Img2ImgError where nobody can listen there."""
    models = OpenedModels(max(1, usable_cores() // settings.workers))
    # No daemon: Python must not end while ONNX Runtime is at work in a thread.
    threading.Thread(target=models.open_ahead, args=(settings.device, settings.runtime), name="img2img-ahead").start()
    from img2img.serving.server import run_server  # here, since it takes as long as the model does

    run_server(settings, models, tell=tell, open_browser=open_browser)
