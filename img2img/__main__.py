"""The `img2img` command, `python -m img2img` and `torchrun -m img2img`: how their process starts and ends.

Imports make many objects and no garbage. To look for some among them again and again would take a tenth of a small
photo's time, so Python's collector rests while they are made, and passes them over ever after.
"""

import gc

gc.disable()

import atexit  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402

from img2img.cli import app  # noqa: E402

gc.freeze()
gc.enable()


def main() -> None:
    try:
        app.main()
    except SystemExit as done:
        if done.code is None or isinstance(done.code, int):
            leave_at_once(done.code or 0)
        raise


def leave_at_once(code: int) -> None:
    """Ends the process without taking every module and object apart, which is an eighth of a small photo's time.

    What asked to be called at the end is called. It returns, and leaves the end to Python, where training was, where
    other threads are, where an output cannot be written, and where somebody traces or profiles this process.
    """
    is_watched = sys.gettrace() or sys.getprofile()
    if is_watched or "torch" in sys.modules or threading.active_count() > 1:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    main()
