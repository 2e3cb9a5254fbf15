"""The page of docs/how-to/deploy.md, as it stands there, colours a photo in Chromium with nothing but its own files."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import chromium, nothing_went_elsewhere, tab
from PIL import Image
from selenium.webdriver.support.wait import WebDriverWait

from img2img import load

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
SAMPLE = CHECKOUT / "datasets" / "samples" / "madison-square-1900.jpg"
DIST = Path(os.environ.get("IMG2IMG_NODE_MODULES", "no-such-folder")) / "onnxruntime-web" / "dist"
PIXELS = """
const canvas = document.querySelector("canvas");
return [canvas.height, canvas.width, [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]];
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not DIST.is_dir(),
        reason="no Node with onnxruntime-web here: IMG2IMG_NODE_MODULES names a node_modules that has it",
    ),
]


class Files(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a server has the document's page, its script, the model and onnxruntime-web."""
    (import_map,) = re.findall(r'`(\{"imports".*?\})`', DOCUMENT)
    page, script = (re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[0] for language in ("html", "js"))
    icon = '<link rel="icon" href="data:,">'
    (tmp_path / "index.html").write_text(f'<!doctype html>{icon}<script type="importmap">{import_map}</script>{page}')
    (tmp_path / "img2img.mjs").write_text(script)
    (tmp_path / "dist").symlink_to(DIST.resolve())
    shutil.copy(CHECKOUT / "checkpoints" / "colorizer.onnx", tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_page_colours_a_photo_as_img2img_does(address: str, tmp_path: Path) -> None:
    with chromium() as browser, tab(browser, tmp_path):
        browser.get(address)
        opened = "return Boolean(document.querySelector('input').onchange)"
        WebDriverWait(browser, 120).until(lambda page: page.execute_script(opened))
        browser.find_element("css selector", "input").send_keys(str(SAMPLE))
        (made,) = WebDriverWait(browser, 120).until(lambda page: coloured(page.execute_script(PIXELS)))
        nothing_went_elsewhere(browser, address)
    with Image.open(SAMPLE) as photo:
        ours = np.asarray(load("colorizer", threads=1)(photo.convert("RGB"))).astype(int)
    assert np.abs(made - ours).mean() < 0.8


def coloured(canvas: list[Any]) -> list[Any]:
    """The canvas's RGB once it has colours, as all there is in a list."""
    height, width, values = canvas
    pixels = np.array(values, int).reshape(height, width, 4)[..., :3]
    return [pixels] if np.ptp(pixels, axis=2).mean() > 5 else []
