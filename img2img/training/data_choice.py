"""Which data a recipe trains on when none is named."""

import sys
from pathlib import Path

from img2img.dataset_tools.listing import DIGITS
from img2img.errors import DataError


def chosen_data(recipe: str, *, announce: bool) -> list[str]:
    """The recipe's default set, which is said on stderr if `announce`.

    Raises DataError with the command that fetches it when it is not here.
    """
    from img2img.dataset_tools.catalogue import default_data

    default = default_data(recipe)
    if default.data != DIGITS and not Path(default.data).exists():
        how = f"`{default.fetch}` fetches it; or give " if default.fetch else "give "
        raise DataError(
            f"img2img train {recipe}: the default set, {default.data}, is not here; {how}--data FOLDER or "
            "--data SHARD.tar (repeatable)"
        )
    if announce:
        print(f"data: {default.data}, the default for {recipe}; --data takes another set", file=sys.stderr)
    return [default.data]
