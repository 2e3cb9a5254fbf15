"""What is done of a film, kept in a hidden folder beside its target until the film is whole."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from zipfile import BadZipFile

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from img2img.atomic_file import reason_for, write_at_once
from img2img.batch.journal.held_database import connect_held, what_is_wrong
from img2img.errors import FilmError
from img2img.video.reading.place import Place

Arrays = Mapping[str, NDArray[np.generic]]
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)


@dataclass(frozen=True)
class Segment:
    """Frames in a row, compressed: packets in the order of decoding, with their time stamps. They need no others."""

    stamps: NDArray[np.int64]
    keys: NDArray[np.bool_]
    packets: list[bytes]

    @classmethod
    def of(cls, packets: list[Packet[Any]]) -> Segment:
        stamps = np.array([packet.pts for packet in packets], np.int64)
        keys = np.array([packet.is_keyframe for packet in packets], np.bool_)
        return cls(stamps, keys, [bytes(packet) for packet in packets])


class WorkFolder:
    """`.film.mp4.img2img` beside `film.mp4`: one file a segment, with the place and the steadier's state after it.

    A context manager that holds the folder: FilmError where another process does. A folder of other `settings`, those
    of another source, model or version, is emptied. `replaces`: pictures that exist are to be made anew, as `replace`
    was said when the work began, or they may be what work of other settings left. Raises FilmError.
    """

    def __init__(self, target: Path, settings: Mapping[str, Any], *, replace: bool = False) -> None:
        self.path = self.path_for(target)
        self._settings = json.dumps(settings, indent=2, sort_keys=True).encode()
        self._lock: sqlite3.Connection | None = None
        if self.path.is_symlink():
            raise FilmError(f"{self.path}: a link, where work is to be kept; remove it, or choose another -o")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._hold()
            self._begin(replace=replace)
        except OSError as error:
            self._release()
            raise FilmError(f"{self.path}: this folder cannot be made: {reason_for(error, 'written')}") from error
        self.replaces = self._replaces_file.is_file()
        self.count = self._count_readable()

    def __enter__(self) -> WorkFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    @staticmethod
    def path_for(target: Path) -> Path:
        return target.with_name(f".{target.name}.img2img")

    def add(self, segment: Segment, place: Place, state: Arrays) -> None:
        """Keeps the next segment, and how to go on after it."""
        content = io.BytesIO()
        arrays: dict[str, Any] = {f"state_{name}": array for name, array in state.items()}
        arrays |= {
            "stamps": segment.stamps,
            "keys": segment.keys,
            "sizes": np.array([len(packet) for packet in segment.packets], np.int64),
            "content": np.frombuffer(b"".join(segment.packets), np.uint8),
            "place": np.array(json.dumps(asdict(place))),
        }
        np.savez(content, **arrays)
        try:
            write_at_once(self._file(self.count), content.getvalue())
        except OSError as error:
            raise FilmError(f"{self._file(self.count)}: {reason_for(error, 'written')}") from error
        self.count += 1

    def last(self) -> tuple[Place, Arrays]:
        """Where to go on, and the steadier's state there."""
        if not self.count:
            return Place(), {}
        with self._opened(self.count - 1) as kept:
            state = {name.removeprefix("state_"): kept[name] for name in kept.files if name.startswith("state_")}
            return Place.of_json(json.loads(str(kept["place"]))), state

    def segments(self) -> Iterator[Segment]:
        for number in range(self.count):
            with self._opened(number) as kept:
                content, ends = kept["content"].tobytes(), np.cumsum(kept["sizes"]).tolist()
                packets = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
                yield Segment(kept["stamps"], kept["keys"], packets)

    def remove(self) -> None:
        self._release()
        shutil.rmtree(self.path, ignore_errors=True)

    def _hold(self) -> None:
        """SQLite's lock ends with the process, however that ends."""
        busy = "another img2img is making this film; wait for it, or choose another -o"
        try:
            self._lock = connect_held(self._lock_file, _hold)
        except sqlite3.Error as error:
            what = what_is_wrong(error, self._lock_file, busy=busy) or f"damaged ({error}); remove this folder"
            raise FilmError(f"{self.path}: {what}") from error

    def _release(self) -> None:
        if self._lock:
            self._lock.close()
        self._lock = None

    def _begin(self, *, replace: bool) -> None:
        if self._is_of_these_settings() and (self._replaces_file.is_file() or not replace):
            return
        was_begun = self._settings_file.is_file()
        for each in self.path.glob("*.npz"):
            each.unlink()
        if replace or was_begun:
            write_at_once(self._replaces_file, b"")
        write_at_once(self._settings_file, self._settings)

    def _count_readable(self) -> int:
        """How many segments there are, but for the last ones where a machine that went down left them in pieces."""
        count = 0
        while self._file(count).is_file():
            count += 1
        while count and not self._is_whole(count - 1):
            count -= 1
        return count

    def _is_whole(self, number: int) -> bool:
        try:
            with self._file(number).open("rb") as stream, np.load(stream) as kept:
                return all(kept[name] is not None for name in kept.files)  # reading compares checksums
        except _UNREADABLE:
            return False

    @contextmanager
    def _opened(self, number: int) -> Iterator[Any]:
        try:
            with self._file(number).open("rb") as stream, np.load(stream) as kept:
                yield kept
        except _UNREADABLE as error:
            raise FilmError(f"{self._file(number)}: damaged; remove this folder and run it again") from error

    @property
    def _settings_file(self) -> Path:
        return self.path / "settings.json"

    @property
    def _replaces_file(self) -> Path:
        return self.path / "replaces"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    def _is_of_these_settings(self) -> bool:
        return self._settings_file.is_file() and self._settings_file.read_bytes() == self._settings

    def _file(self, number: int) -> Path:
        return self.path / f"{number:05}.npz"


def _hold(database: sqlite3.Connection) -> None:
    database.execute("BEGIN EXCLUSIVE")
