"""Run img2img from a checkout, without installing it: `python main.py colorize photo.jpg`."""

import sys

try:
    from img2img.__main__ import main
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] == "img2img":
        raise
    sys.exit(
        f"img2img needs Python packages that are not here ({error.name}). In this folder:\n"
        "  python3 -m venv .venv && .venv/bin/pip install .\n"
        "  .venv/bin/img2img colorize datasets/samples -o coloured"
    )

if __name__ == "__main__":
    main()
