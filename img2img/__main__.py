"""`python -m img2img`, and `torchrun -m img2img`: the same as the `img2img` command."""

from img2img.cli.app import main

if __name__ == "__main__":
    main()
