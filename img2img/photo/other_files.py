"""What lies among photos and is none of them: films, and folders in which programs keep thumbnails and trash."""

from collections.abc import Iterable

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".asf", ".flv", ".ogv", ".3gp", ".mxf", ".dv", ".y4m"}
)
_LEFT_OUT = frozenset(
    {"@eadir", "#recycle", "#snapshot"}  # Synology
    | {"@recycle", "@recently-snapshot", ".@__thumb", "@__thumb"}  # QNAP
    | {"__macosx", ".trashes", ".spotlight-v100", ".fseventsd", ".documentrevisions-v100", ".temporaryitems"}  # macOS
    | {"$recycle.bin", "recycler", "recycled", "system volume information"}  # Windows
    | {".thumbnails", ".thumbs", "thumbs", "thumbnails", ".trash", ".xvpics", ".picasaoriginals", "lost+found"}
)


def is_left_out(folder: str) -> bool:
    """Whether a folder of this name holds thumbnails, or what was thrown away."""
    name = folder.casefold()
    return name in _LEFT_OUT or name.startswith(".trash-")


def left_out_among(folders: Iterable[str]) -> str | None:
    """The first such name."""
    return next(filter(is_left_out, folders), None)
