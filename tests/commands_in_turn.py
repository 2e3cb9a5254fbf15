"""Several commands in one new process, which takes as long to start as ten small photos."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]


def run_in_turn(
    commands: Sequence[str], folder: Path, *, without: Sequence[str] = (), told: str = "end.code"
) -> subprocess.CompletedProcess[str]:
    """`img2img` with the words of each, in the folder, where the packages `without` cannot be imported.

    After each command `told`, an expression of `end`, its SystemExit, and `sys`, is printed on a line.
    """
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({list(without)}))\n"
        "from img2img.cli.app import main\n"
        f"for words in {list(commands)}:\n"
        "    sys.argv[1:] = words.split()\n"
        "    try: main()\n"
        f"    except SystemExit as end: print({told})\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_CHECKOUT)},
        capture_output=True,
        text=True,
    )
