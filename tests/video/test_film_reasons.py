"""Why a film cannot be converted: each reason by its name, and "damaged" only where bytes are missing."""

import errno
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.error import FFmpegError, PatchWelcomeError
from film_clips import greys, texture, write_film

from img2img.batch.outcome import Outcome
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.video.encoding import ENCODINGS
from img2img.video.one_film import FilmOptions, convert_one_film
from img2img.video.plan import plan_films
from img2img.video.reading import reasons
from img2img.video.reading.film_file import FilmFile
from img2img.video.work_folder import WorkFolder


def convert(source: Path, target: Path) -> Outcome:
    plain = FilmConverter(lambda photo, steady: photo, lambda luma, steady: np.zeros((2, 8, 8), np.float32))
    (job,) = plan_films([str(source)], str(target), word="new")
    return convert_one_film(job, lambda: plain, FilmOptions({}), lambda now, total: None)


@pytest.mark.parametrize(
    ("suffix", "codec", "name", "other"),
    [
        (".mp4", "libx264", b"avc1", b"zzz1"),
        (".avi", "mpeg4", b"FMP4", b"ZZZ9"),
        (".mkv", "libx264", b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC"),
    ],
)
def test_a_codec_that_ffmpeg_does_not_know_is_not_called_damage(
    tmp_path: Path, suffix: str, codec: str, name: bytes, other: bytes
) -> None:
    film = write_film(tmp_path / f"film{suffix}", greys(3), codec=codec, options={})
    film.write_bytes(film.read_bytes().replace(name, other))
    outcome = convert(film, tmp_path / "new.mkv")
    assert str(outcome.error).startswith(f"{film}: not supported: FFmpeg cannot decode its pictures")
    assert "convert it with another program" in str(outcome.error)


def test_what_a_decoder_cannot_do_yet_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = write_film(tmp_path / "film.mp4", greys(3))
    opened = FilmFile(film)
    opened._why_undecoded = PatchWelcomeError(-1, "not yet", None)
    assert opened.why_nothing().startswith("not supported: FFmpeg cannot decode its pictures (h264)")
    opened.container.close()
    assert reasons.why_film_not(PatchWelcomeError(-1, "not yet", None)).startswith("not supported")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOENT, "no such file or folder"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "the disk, or the way to it, failed"),
        (errno.ESTALE, "the connection to this share is lost"),
    ],
)
@pytest.mark.parametrize("when", ["opened", "read"])
def test_a_disk_that_fails_is_not_called_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: str, when: str
) -> None:
    film = write_film(tmp_path / "film.mp4", greys(3), tone=True)
    failure = type("Failing", (FFmpegError, OSError), {})(code, os.strerror(code), str(film))
    real_open = av.open

    def failing(*arguments: Any, **options: Any) -> Any:
        if when == "opened":
            raise failure
        return _FailingAfter(real_open(*arguments, **options), failure)

    monkeypatch.setattr(av, "open", failing)
    error = str(convert(film, tmp_path / "new.mp4").error)
    assert error.startswith(f"{film}: {reason}")
    assert "damaged" not in error


class _FailingAfter:
    """A container of which two packets can be read."""

    def __init__(self, container: Any, failure: BaseException) -> None:
        self._container, self._failure = container, failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self, *streams: Any) -> Any:
        for number, packet in enumerate(self._container.demux(*streams)):
            if number == 2:
                raise self._failure
            yield packet


def test_a_lock_that_cannot_be_had_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, reason in (
        (sqlite3.SQLITE_BUSY, "another img2img is making this film"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY, "it cannot be written to"),
    ):
        error = sqlite3.OperationalError("why")
        error.sqlite_errorcode = code

        def connect(*arguments: Any, error: sqlite3.Error = error, **options: Any) -> Any:
            raise error

        monkeypatch.setattr(sqlite3, "connect", connect)
        with pytest.raises(FilmError, match=reason):
            WorkFolder(tmp_path / "film.mp4", {})


def test_a_target_that_cannot_be_written_is_named_not_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = write_film(tmp_path / "film.mp4", greys(3))

    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(errno.ENOSPC, "full", str(tmp_path / "elsewhere"))

    monkeypatch.setattr("img2img.video.one_film.convert_film", full)
    outcome = convert(film, tmp_path / "new.mp4")
    assert outcome.error == f"{tmp_path / 'elsewhere'}: the disk is full; free some space and run it again"


def test_pictures_that_cannot_be_encoded_are_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = write_film(tmp_path / "film.mp4", [texture(48, 64)])
    impossible = replace(ENCODINGS[".mp4"], options={"x264-params": "level=nothing"})
    monkeypatch.setitem(ENCODINGS, ".mp4", impossible)
    outcome = convert(film, tmp_path / "new.mp4")
    assert str(outcome.error).startswith(f"{film}: not supported: FFmpeg cannot convert its pictures")
