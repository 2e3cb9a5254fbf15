"""What a film's file says beside its pictures, titles, places, names of tracks, and what of it a new film keeps."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from img2img.video.encoding import QUICKTIME, Encoding

# Of the old file, its encoder and its streams: none of it holds of the new one. In Matroska a language may follow. XMP
# is kept apart.
_OF_THE_FILE = re.compile(
    r"(major_brand|minor_version|compatible_brands|encoder|encoder_(options|settings)|encoded_(by|with)_lib\w*|writing_(app|library)"
    r"|muxing_app|software|duration|bps|number_of_(frames|bytes)|_statistics_\w+|vendor_id|alpha_mode|source_id|totalduration|xmp)(-\w+)?",
    re.IGNORECASE,
)
_SHOWN_BY_TYPE = Disposition.default | Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_REWRITTEN = frozenset({"creation_time", "location", "date", "timecode"})  # the same may be spelled in another way
_NOT_MISSED = frozenset({"handler_name", "creation_time", "filename", "mimetype", "timecode", "rotate", "name"})
_STRETCHED = 0.01  # more than what comes of a size shown in whole pixels
_UNKNOWN_LANGUAGE = "und"


def kept(metadata: Mapping[str, str]) -> dict[str, str]:
    """Of a film: titles, dates, places; not what describes the old file."""
    return {key: value for key, value in metadata.items() if not _OF_THE_FILE.fullmatch(key)}


def kept_of_stream(metadata: Mapping[str, str]) -> dict[str, str]:
    """Of a stream, likewise. FFmpeg reads an MP4 track's title as its name."""
    known = kept(metadata)
    if name := known.pop("name", ""):
        known.setdefault("title", name)
    return known


def container_options(metadata: Mapping[str, str], encoding: Encoding, *, cover: bool) -> dict[str, str]:
    """What makes the container hold the most of it: QuickTime has a place for any key, if not for usual ones alone.

    In MP4 that place is the one where covers are.
    """
    if encoding.container not in QUICKTIME or (cover and encoding.container == "mp4"):
        return {}
    return {} if not _missing(metadata, _held(metadata, encoding)) else {"movflags": "use_metadata_tags"}


def not_kept(source: Any, copied: list[Stream], target: Path) -> tuple[str, ...]:
    """In words, what the film at `target` has not got; `copied` are the streams that it was to have, in its order."""
    with av.open(f"file:{target}", "r", metadata_errors="surrogateescape") as new:
        said = [f"its {key}" for key in _missing(kept(source.metadata), new.metadata)]
        if _titles(source.chapters) != _titles(new.chapters()):
            said.append("its chapters, or their titles")
        for stream, copy in zip_longest(copied, list(new.streams)[: len(copied)]):
            lost = _not_kept_of(stream, copy) if copy is not None else ["content"]
            said += [f"the {what} of {stream.type} stream {stream.index}" for what in lost]
    return tuple(said)


def _not_kept_of(stream: Stream, copy: Stream) -> Iterator[str]:
    old, new = kept_of_stream(stream.metadata), kept_of_stream(copy.metadata)
    if old.get("language") == _UNKNOWN_LANGUAGE:
        del old["language"]
    yield from (key for key in _missing(old, new) if key not in _NOT_MISSED)
    if isinstance(stream, VideoStream) and isinstance(copy, VideoStream):
        change = (copy.sample_aspect_ratio or Fraction(1)) / (stream.sample_aspect_ratio or Fraction(1))
        yield from ["pixels' aspect"] if abs(change - 1) > _STRETCHED else []
    lost = stream.disposition & ~copy.disposition & ~_SHOWN_BY_TYPE
    yield from (f"mark {str(each.name).replace('_', ' ')!r}" for each in Disposition if each & lost)


def _missing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    have = {key.lower(): value for key, value in new.items()}
    return [
        key
        for key, value in old.items()
        if not (key.lower() in have and (key.lower() in _REWRITTEN or have[key.lower()] == value))
        and key.rpartition("-")[0] not in old
    ]


def _titles(chapters: list[Any]) -> list[str]:
    return [chapter["metadata"].get("title", "") for chapter in chapters]


def _held(metadata: Mapping[str, str], encoding: Encoding) -> dict[str, str]:
    """What is read of it again from a film of one picture."""
    file = io.BytesIO()
    with av.open(file, "w", format=encoding.container, metadata_errors="surrogateescape") as film:
        film.metadata.update(metadata)
        packet: Packet[Any] = Packet(bytes(16))
        packet.stream, packet.pts, packet.dts = film.add_mux_stream("mjpeg", width=16, height=16), 0, 0
        film.mux(packet)
    file.seek(0)
    with av.open(file, "r", metadata_errors="surrogateescape") as film:
        return film.metadata
