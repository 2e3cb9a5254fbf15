"""`img2img serve`: a page and an HTTP API."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from img2img.cli.shared_options import Device, choice_option
from img2img.errors import Img2ImgError

_Runtime = Literal["auto", "onnxruntime", "openvino"]


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 means every address of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 picks a free one.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Answer only callers who send the token in this file's first line."),
    ] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Answer anyone who can reach the address.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another host name to answer to; repeatable."),
    ] = None,
    max_upload: Annotated[str, typer.Option(metavar="SIZE", help="The largest upload that is accepted.")] = "50MB",
    max_pixels: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refuse photos with more pixels than this.")
    ] = 200_000_000,
    workers: Annotated[int, typer.Option(min=1, help="How many photos to work on at a time; each needs memory.")] = 2,
    queue: Annotated[
        int, typer.Option(min=0, help="How many photos may wait; beyond that, callers are told to try again later.")
    ] = 32,
    job_space: Annotated[
        str, typer.Option(metavar="SIZE", help="Disk space for all jobs (many photos, films).")
    ] = "4GB",
    job_hours: Annotated[float, typer.Option(min=0.0001, help="How long a finished job's result is kept.")] = 6,
    patience: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="How long to wait for a request's headers, or for a client that has stopped reading.",
        ),
    ] = 30,
    device: Device = "auto",
    runtime: Annotated[_Runtime, choice_option(_Runtime, help="What runs the models.")] = "auto",
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Serve a web page for colouring old photos, and an HTTP API, to this machine only unless told otherwise.

    Needs pip install '.[serve]'. Stops at Ctrl-C or SIGTERM, once the photos in progress are done.

    \b
    Examples:
      img2img serve                                        http://127.0.0.1:8000, opened in the browser
      img2img serve --no-open --port 9000                  another port, for programs
      img2img serve --host 0.0.0.0 --token-file secret --allow-host photos.example
    """
    if not all(map(find_spec, ("starlette", "uvicorn", "python_multipart"))):
        raise Img2ImgError("the server needs three more packages: pip install '.[serve]' in img2img's checkout")
    from img2img.serving.server import run_server
    from img2img.serving.settings import ServeSettings, check_open_host, is_loopback, parse_size, read_token

    token = read_token(token_file) if token_file else None
    check_open_host(host, token, no_token=no_token)
    settings = ServeSettings(
        host=host,
        port=port,
        token=token,
        allowed_hosts=frozenset(name.lower() for name in allow_host or ()),
        max_upload=parse_size(max_upload, "--max-upload"),
        max_pixels=max_pixels,
        workers=workers,
        queue=queue,
        job_space=parse_size(job_space, "--job-space"),
        job_hours=job_hours,
        patience=patience,
        device=device,
        runtime=runtime,
    )
    run_server(settings, tell=_tell, open_browser=open_page and is_loopback(host))


def _tell(address: str) -> None:
    print(f"{address}   nothing leaves this machine; Ctrl-C ends it", flush=True)
