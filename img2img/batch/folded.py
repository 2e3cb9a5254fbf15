"""Names as a file system compares them that ignores case, or how an accent is spelled."""

import unicodedata


def fold(name: str) -> str:
    """Case and accents spelled as one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
