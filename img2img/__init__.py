"""Image-to-image for photographs: colour old photos, turn horses into zebras, from Python or the command line.

    from img2img import load

    colorize = load("colorizer")
    colorize("photo.jpg").save("coloured.png")

    from img2img import convert

    for outcome in convert(["album"], "coloured", strength=1.2):
        print(outcome.status, outcome.target)

Names are imported when first used, so that `import img2img` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from img2img.batch.outcome import Outcome
    from img2img.conversion.colorize_options import ColorizeOptions
    from img2img.conversion.convert import convert
    from img2img.conversion.options import ConversionOptions
    from img2img.conversion.translate_options import TranslateOptions
    from img2img.errors import (
        DataError,
        ExportError,
        FilmError,
        Img2ImgError,
        MissingModel,
        ModelError,
        PhotoError,
        RunError,
        SettingError,
        TransferError,
        UnreadablePhoto,
        UnwritablePhoto,
        UsageError,
    )
    from img2img.inference import load
    from img2img.inference.colorizer import Colorizer
    from img2img.inference.drawn import Drawn
    from img2img.inference.sampler import Sampler
    from img2img.inference.translator import Translator
    from img2img.model_file import ModelCard, models
    from img2img.photo import Photo, read_photo, write_photo
    from img2img.photo.pictures import Picture
    from img2img.version import __version__

__all__ = [
    "ColorizeOptions",
    "Colorizer",
    "ConversionOptions",
    "DataError",
    "Drawn",
    "ExportError",
    "FilmError",
    "Img2ImgError",
    "MissingModel",
    "ModelCard",
    "ModelError",
    "Outcome",
    "Photo",
    "PhotoError",
    "Picture",
    "RunError",
    "Sampler",
    "SettingError",
    "TransferError",
    "TranslateOptions",
    "Translator",
    "UnreadablePhoto",
    "UnwritablePhoto",
    "UsageError",
    "__version__",
    "convert",
    "load",
    "models",
    "read_photo",
    "write_photo",
]

_HOMES = {
    "__version__": "img2img.version",
    "convert": "img2img.conversion.convert",
    "ColorizeOptions": "img2img.conversion.colorize_options",
    "ConversionOptions": "img2img.conversion.options",
    "TranslateOptions": "img2img.conversion.translate_options",
    "Outcome": "img2img.batch.outcome",
    "load": "img2img.inference",
    "Colorizer": "img2img.inference.colorizer",
    "Drawn": "img2img.inference.drawn",
    "Sampler": "img2img.inference.sampler",
    "Translator": "img2img.inference.translator",
    "ModelCard": "img2img.model_file",
    "models": "img2img.model_file",
    "Photo": "img2img.photo",
    "Picture": "img2img.photo.pictures",
    "read_photo": "img2img.photo",
    "write_photo": "img2img.photo",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_home(name)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _home(name: str) -> str:
    return _HOMES.get(name, "img2img.errors")
