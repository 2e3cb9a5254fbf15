"""One model file from its source into memory: fetched where it must be, its sha256 and its card checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from img2img.errors import ModelError
from img2img.model_file.adding.held_folder import HeldFolder
from img2img.model_file.adding.source import Address
from img2img.model_file.card import ModelCard
from img2img.model_file.container import check_model, read_model
from img2img.model_file.lookup import refuse_run
from img2img.transfer import FileKind, Patience, TransferProgress, fetch_file, forget

MAX_BYTES = 2 * 10**9
_MODEL = FileKind("an ONNX model", (b"\x08",), most=MAX_BYTES, only_private=True)
"""An .onnx file begins with its IR version, field 1 of a ModelProto."""


@dataclass(frozen=True)
class Brought:
    """A model file that is what it should be; `sha256` is the whole file's, `part` where a transfer left it."""

    origin: str
    content: bytes
    card: ModelCard
    part: Path | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Bringing:
    """How files are brought: transfers go to the folder, and wait and tell as these say."""

    folder: HeldFolder
    patience: Patience
    progress: TransferProgress

    def bring(self, source: Path | Address) -> Brought:
        """Raises ModelError for what is no whole model of ours or has another sha256, TransferError as `fetch_file`."""
        if isinstance(source, Address):
            return self._fetched(source)
        refuse_run(source)
        return Brought(str(source), *read_model(source))

    def _fetched(self, address: Address) -> Brought:
        part = self.folder.part(hashlib.sha256(address.url.encode()).hexdigest()[:16])
        fetch_file(address.url, part, _MODEL, patience=self.patience, progress=self.progress)
        content = part.read_bytes()
        try:
            _check_sha256(content, address)
            return Brought(address.url, content, check_model(content, address.url), part)
        except ModelError:
            forget(part)  # going on with it would not mend it
            raise


def _check_sha256(content: bytes, address: Address) -> None:
    found = hashlib.sha256(content).hexdigest()
    if address.sha256 and found != address.sha256:
        raise ModelError(
            f"{address.url}: its SHA-256 is {found}, not {address.sha256}; the file was changed at the server or on "
            "its way, and was deleted"
        )
