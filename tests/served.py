"""A real server process for the tests, and requests to it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from typer.testing import CliRunner
from waiting import wait_for

from img2img.cli.app import app

CHECKOUT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-c", "from img2img.cli.app import main; main()"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """`home`: the folder that its temporary files are in."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    errors: Path
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        **more: str,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            options = urlencode((query or {}) | more)
            where = f"{path}?{options}" if options else path
            connection.request(method, where, body, self.headers | (headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def leftovers(self) -> list[str]:
        """Names of files; a folder may go while it is looked at, which os.walk passes over."""
        return sorted(name for _, _, files in os.walk(self.home) for name in files)

    def seconds(self) -> float:
        """Of a processor's time that it has taken until now, on Linux."""
        spent = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(120)


@contextmanager
def served(folder: Path, *words: str, limited: Callable[[], None] | None = None) -> Iterator[Served]:
    home, errors = folder / "tmp", folder / "errors.txt"
    home.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"TMPDIR": str(home), "PYTHONPATH": str(CHECKOUT)}
    if limited:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # cut at the limit, it would spoil the packages for every process
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--no-open", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment,
            preexec_fn=limited,
        )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("http://"), errors.read_text()
        server = Served(process, int(line.split()[0].rpartition(":")[2]), home, errors)
        wait_for(lambda: server.ask("GET", "/readyz").status == 200, shown=errors.read_text)
        yield server
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def multipart(*files: tuple[str, bytes], **parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """The body and its header: files, and others in parts of these names; a file of no name is a field."""
    named = [("file", file) for file in files] + list(parts.items())
    body = b"".join(_part(part, name, content) for part, (name, content) in named)
    return body + b"--limit--\r\n", {"Content-Type": "multipart/form-data; boundary=limit"}


def _part(part: str, name: str, content: bytes) -> bytes:
    said = f'; filename="{name}"' if name else ""
    return f'--limit\r\nContent-Disposition: form-data; name="{part}"{said}\r\n\r\n'.encode() + content + b"\r\n"


def command_line(*words: object) -> None:
    """In this process: a process of its own would make the same bytes, a second later."""
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.stderr
