"""`img2img models`: what is at hand, what the cards say, and models added and removed."""

import typer

from img2img.cli.models.add import add
from img2img.cli.models.listing import list_models, models
from img2img.cli.models.remove import remove
from img2img.cli.models.show import show

app = typer.Typer(invoke_without_command=True, help="List available models, show their cards, add your own.")
app.callback()(models)
app.command("list", short_help="List available models, the same as without a command.")(list_models)
app.command(short_help="Show a model's card: what it is, and how good.")(show)
app.command(short_help="Add a model from a file or an address, under a name.")(add)
app.command(short_help="Remove models that were added.")(remove)
