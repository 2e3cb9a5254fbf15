"""How long and how large, in words."""


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3.5 h" or "4.2 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def byte_size(count: float) -> str:
    """ "840 KB", "12 MB" or "1.2 TB", each a thousand of the one before."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 9.95 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
