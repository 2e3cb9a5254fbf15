"""Run img2img from a checkout, without installing it: `python main.py colorize photo.jpg`."""

from img2img.cli.app import main

if __name__ == "__main__":
    main()
