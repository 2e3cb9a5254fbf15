"""The `img2img` command: what all of its commands have in common, and how its process ends."""

import sys

try:
    import io
    import os
    import signal
    import warnings
    from typing import Annotated, Any

    import typer

    from img2img.cli.command_group import Commands
    from img2img.cli.commands import CommandTable
except KeyboardInterrupt:  # these imports are most of a command's first 0.1 s
    sys.exit(130)


class AllCommands(Commands):
    """Those of `img2img` itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = CommandTable()


# Plain help, because rich's panels double the time that --help takes, and plain tracebacks.
app = typer.Typer(
    cls=AllCommands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from img2img.version import __version__

        print(f"img2img {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Colour and translate photos, train the models that do it, and export them.

    \b
    Examples:
      img2img colorize photo.jpg              photo.colorized.jpg beside it
      img2img colorize album -o coloured      every photo in a folder
      img2img translate horse.jpg --model horse2zebra
      img2img suggest photo.jpg 52%,40%       colours to choose from, at a place
      img2img serve                           the same in the browser
      img2img models                          available models
      img2img train dcgan --out runs/digits   train on digits that come with img2img
      img2img generate --model runs/digits    draw 64 pictures with it
    """
    from img2img.cli.log import show_log

    show_log()


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """What a person needs of a warning: not the line of source that it comes from."""
    print(f"Warning: {message}", file=sys.stderr)


def main() -> None:
    warnings.showwarning = _show_warning
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks, such as a name's bytes, is in backslashes
        sys.stdout.reconfigure(errors="backslashreplace")
    _have_threads_wait_idly()
    try:
        app(prog_name="img2img")
    except KeyboardInterrupt:  # before a command has begun: Typer still puts the options together
        _leave_in_peace()
        sys.exit(130)
    except SystemExit as done:
        if done.code == 130:
            _leave_in_peace()
        raise


def _have_threads_wait_idly() -> None:
    """Unless somebody has chosen how long PyTorch's threads shall turn in a loop while they wait for each other.

    By default they do so for milliseconds, and where another program takes a core, training is twelve times slower.
    Their library, libgomp, reads this when it is loaded, with torch.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = "1000"


def _leave_in_peace() -> None:
    """Python's own end takes a moment with torch in it, and one more Ctrl-C would make it a death by signal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
