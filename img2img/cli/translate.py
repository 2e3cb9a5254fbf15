"""`img2img translate`: turn photos of one kind into another."""

from img2img.cli.conversion import run_conversion
from img2img.cli.conversion_command import takes_options
from img2img.conversion.translate_options import TranslateOptions


@takes_options(TranslateOptions, beside="photo.MODEL.jpg")
def translate(inputs: list[str], output: str | None, options: TranslateOptions, quiet: bool) -> None:
    """Turn photos of one kind into another, such as horses into zebras, offline, at full size, with all metadata.

    Sub-folders are kept: album/a/b.jpg becomes striped/a/b.jpg. Hidden files, links to folders and the model's own
    earlier results are left out. Run the same command again to continue where it stopped: it does only what is
    missing or has changed. Files that img2img did not make, or that were changed since, are left alone.

    \b
    Examples:
      img2img translate photo.jpg --model horse2zebra            photo.horse2zebra.jpg beside it
      img2img translate album -o striped --model horse2zebra     a folder and its sub-folders
      img2img translate photo.jpg --model mine.onnx --size 384   finer than the model's own size
      img2img translate photo.jpg --model horse2zebra --cycle    and back: in | out | back
      img2img translate - --model mine.onnx < in.jpg > out.jpg   through a pipe

    \b
    Exit codes: 0 all is well, 1 a photo failed or the model cannot be used,
    2 wrong usage, 130 stopped with Ctrl-C.
    """
    show_scores = options.score and not options.report
    run_conversion(inputs, output, options, verb="translated", quiet=quiet, show_scores=show_scores)
