"""Which img2img this is: the installed version; in a checkout, the one in pyproject.toml.

Results say it, so it is found without importlib.metadata, whose import takes a tenth of a photo's time.
"""

import re
from pathlib import Path

_BESIDE = Path(__file__).resolve().parent.parent


def checkout_version() -> str:
    """That of the pyproject.toml beside the package; "unknown" where there is none.

    Its one line is looked for: tomllib's import and a whole parse take longer than to colour a small photo's pixels.
    """
    pyproject = _BESIDE / "pyproject.toml"
    if not pyproject.is_file():
        return "unknown"
    found = re.search(r'^version = "(.+)"$', pyproject.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"


def _installed_version() -> str | None:
    installed = [folder.name for folder in _BESIDE.glob("img2img-*.dist-info")]
    return installed[0].removeprefix("img2img-").removesuffix(".dist-info") if installed else None


__version__ = _installed_version() or checkout_version()
