"""Every error that a user can cause, as one tree:

    Img2ImgError                what img2img raises on purpose; the CLI prints it and exits with 1
    ├── UsageError              the command's words contradict each other; exit 2
    ├── PhotoError              a photo cannot be used
    │   ├── UnreadablePhoto     missing, damaged, too large, or of a kind that is refused
    │   └── UnwritablePhoto     the target cannot be written: a full disk, a folder in the way
    ├── FilmError               a film cannot be read or written
    ├── ModelError              a model file is missing, damaged, or made for another task
    │   └── MissingModel        not there, or not any more
    ├── DataError               training or evaluation data is missing or unusable
    ├── TransferError       a file cannot be fetched over the network
    ├── SettingError            an unknown recipe or setting, or a value that it cannot take
    ├── RunError                a run's folder or saved state cannot be used
    └── ExportError             the exported model does not compute what the trained one does

Each message names the file, says what is wrong and what to do.
"""


class Img2ImgError(Exception):
    """What img2img raises on purpose: wrong input, never our own mistake."""


class UsageError(Img2ImgError):
    """The command's words contradict each other."""


class PhotoError(Img2ImgError):
    """A photo cannot be used."""


class UnreadablePhoto(PhotoError):
    """The photo is missing, damaged, too large, or of a kind that is refused."""


class UnwritablePhoto(PhotoError):
    """The target cannot be written."""


class FilmError(Img2ImgError):
    """A film cannot be read or written."""


class ModelError(Img2ImgError):
    """A model file is missing, damaged, or made for another task."""


class MissingModel(ModelError):
    """A model file is not there, or not any more."""


class DataError(Img2ImgError):
    """Training or evaluation data is missing or unusable."""


class TransferError(Img2ImgError):
    """A file cannot be fetched over the network."""


class SettingError(Img2ImgError):
    """An unknown recipe or setting, or a value that it cannot take."""


class RunError(Img2ImgError):
    """A run's folder or saved state cannot be used."""


class ExportError(Img2ImgError):
    """The exported model does not compute what the trained one does."""
