"""`img2img colorize`: colour photos."""

from img2img.cli.conversion import run_conversion
from img2img.cli.conversion_command import takes_options
from img2img.conversion.colorize_options import ColorizeOptions


@takes_options(ColorizeOptions, beside="photo.colorized.jpg")
def colorize(inputs: list[str], output: str | None, options: ColorizeOptions, quiet: bool) -> None:
    """Colour photos offline, at full size, and keep everything else about them.

    Sub-folders are kept: album/a/b.jpg becomes coloured/a/b.jpg. Hidden files and links to folders are left out.
    Run the same command again to continue where it stopped: it does only what is missing or has changed. Files
    that img2img did not make, or that were changed since, are left alone.

    \b
    Examples:
      img2img colorize photo.jpg                      photo.colorized.jpg beside it
      img2img colorize photo.jpg -o coloured.png      a name and a format of your own
      img2img colorize a.jpg b.tif -o coloured/       several photos into a folder
      img2img colorize album -o coloured --jobs 4     a folder and its sub-folders
      img2img colorize album -o out --report out.csv  and a record of every photo
      img2img colorize scans.tar -o coloured.zip      from one archive to another
      img2img colorize photo.jpg --reference other.jpg --hint 52%,40%=#3a6b35
      img2img colorize album -o out --warmth 0.3 --hints auto
      img2img colorize film.mp4                       film.colorized.mp4, with its sound
      img2img colorize - < grey.jpg > coloured.jpg    through a pipe

    \b
    Exit codes: 0 all is well, 1 a photo failed or the model cannot be used,
    2 wrong usage, 130 stopped with Ctrl-C.
    """
    run_conversion(inputs, output, options, verb="coloured", quiet=quiet)
