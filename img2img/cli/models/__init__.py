"""`img2img models`: what is at hand, what the cards say, and models added and removed."""

import typer

from img2img.cli.models.add import add, remove
from img2img.cli.models.listing import list_models, models
from img2img.cli.models.show import show

app = typer.Typer(invoke_without_command=True, help="Available models, and their cards.")
app.callback()(models)
app.command("list")(list_models)
for command in (show, add, remove):
    app.command()(command)
