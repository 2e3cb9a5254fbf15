"""What the library logs while it works, as lines for the person at the command line."""

import logging
import sys


class LogLines(logging.Handler):
    """Each message on stderr, at once; an exception with its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


def show_log() -> None:
    """From now on, and once only however often it is called."""
    log = logging.getLogger("img2img")
    log.setLevel(logging.INFO)
    if not any(isinstance(handler, LogLines) for handler in log.handlers):
        log.addHandler(LogLines())
