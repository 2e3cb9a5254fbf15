"""Why a film cannot be read, in words: what is missing, what fails, what is not supported."""

from __future__ import annotations

from av.error import DecoderNotFoundError, FFmpegError, NotImplementedError, PatchWelcomeError

from img2img.atomic_file import reason_for

UNSUPPORTED = (NotImplementedError, PatchWelcomeError, DecoderNotFoundError)
ANOTHER_PROGRAM = "convert it with another program to H.264 first"
ENCRYPTED = "the film is encrypted; give a copy without protection"
NOTHING_READ = "none of its pictures can be read; copy it again from where it came from"
NO_PICTURES = "there are no moving pictures in this file; name a film"


def unsupported(codec: str | None) -> str:
    called = f" ({codec})" if codec else ""
    return f"not supported: FFmpeg cannot decode its pictures{called}; {ANOTHER_PROGRAM}"


def why_film_not(error: BaseException) -> str:
    """One line for a film that cannot be read."""
    if isinstance(error, UNSUPPORTED):
        return unsupported(None)
    if isinstance(error, FFmpegError) and not isinstance(error, OSError):
        return reason_for(ValueError(error.strerror), "read")
    return reason_for(error, "read")
