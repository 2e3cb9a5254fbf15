"""The rows of the table about films, seen by PyAV alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
from av.sidedata.sidedata import SideDataContainer
from av.stream import Disposition
from av.video.frame import VideoFrame

from kept.film_files import LABEL, PHONE, TITLES
from kept.tables import LONG_AGO, Thing


def _packets(kind: str, number: int) -> Callable[[Path], Any]:
    """What looks for the content of the n-th stream of a kind; covers are a kind of their own."""

    def look(path: Path) -> Any:
        with av.open(str(path)) as film:
            streams = [stream for stream in film.streams if _kind(stream) == kind]
            if len(streams) <= number:
                return None
            if kind == "attachment":
                return streams[number].data  # type: ignore[attr-defined]
            return [bytes(packet) for packet in film.demux(streams[number]) if packet.size] or None

    return look


def _kind(stream: Any) -> str:
    return "cover" if stream.disposition & Disposition.attached_pic else str(stream.type)


def _chapters(path: Path) -> Any:
    with av.open(str(path)) as film:
        said = [(each["start"], each["time_base"], each["metadata"]) for each in film.chapters()]
    return [(float(start * (base or 0)), metadata) for start, base, metadata in said] or None


def _metadata(wanted: dict[str, str]) -> Callable[[Path], Any]:
    def look(path: Path) -> Any:
        with av.open(str(path)) as film:
            said = {key.lower(): value for key, value in film.metadata.items()}
            return {key: said[key.lower()] for key in wanted if key.lower() in said} or None

    return look


def _label(path: Path) -> Any:
    """Of the XMP, which is plain text in every container."""
    return LABEL if LABEL.encode() in path.read_bytes() else None


def _names(path: Path) -> Any:
    with av.open(str(path)) as film:
        return [each.metadata.get("title", each.metadata.get("name")) for each in film.streams.audio]


def _languages(path: Path) -> Any:
    with av.open(str(path)) as film:
        return [said for each in film.streams.audio if (said := each.metadata.get("language"))] or None


def _marks(path: Path) -> Any:
    """Of sound and subtitles, but for which of them comes first."""
    with av.open(str(path)) as film:
        streams = [*film.streams.audio, *film.streams.subtitles]
        marks = [mark for each in streams if (mark := each.disposition.value & ~Disposition.default.value)]
        return [
            mark & (Disposition.comment | Disposition.hearing_impaired | Disposition.forced).value for mark in marks
        ] or None


def _frame(path: Path) -> VideoFrame:
    with av.open(str(path)) as film:
        return next(film.decode(video=0))


def _side_data(path: Path) -> dict[str, bytes]:
    beside = list(cast(SideDataContainer, _frame(path).side_data))
    return {each.type.name: bytes(memoryview(each)) for each in beside}


def _matrix(path: Path) -> Any:
    return _side_data(path).get("DISPLAYMATRIX")


def _colours(path: Path) -> Any:
    frame = _frame(path)
    tags = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range))
    return None if tags[:3] == (2, 2, 2) else tags


def _aspect(path: Path) -> Any:
    with av.open(str(path)) as film:
        aspect = film.streams.video[0].sample_aspect_ratio
        return aspect if aspect and aspect != 1 else None


def _times(path: Path) -> list[float]:
    with av.open(str(path)) as film:
        return [round(float(frame.time or 0), 3) for frame in film.decode(video=0)]


def _uneven(path: Path) -> Any:
    steps = [round(after - before, 2) for before, after in pairwise(_times(path))]
    return steps if len(set(steps)) > 1 else None


def _late(path: Path) -> Any:
    return _times(path)[0] or None


def _clear(path: Path) -> Any:
    with av.open(str(path)) as film:
        said = film.streams.video[0].metadata
        beside = "1" in (said.get("ALPHA_MODE"), said.get("alpha_mode"))
    return beside or any(each.is_alpha for each in _frame(path).format.components) or None


def _bits(path: Path) -> int:
    return max(each.bits for each in _frame(path).format.components)


def _hdr(path: Path) -> Any:
    names = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
    return {name: data for name, data in _side_data(path).items() if name in names} or None


def _interlaced(path: Path) -> Any:
    return _frame(path).interlaced_frame or None


THINGS = (
    Thing("sound", _packets("audio", 0), "audio stream"),
    Thing("second sound", _packets("audio", 1), "audio stream"),
    Thing("second video", _packets("video", 1), "video stream"),
    Thing("subtitles", _packets("subtitle", 0), "subtitle stream"),
    Thing("chapters and their titles", _chapters, "chapters"),
    Thing("attachments", _packets("attachment", 0), "attachment stream"),
    Thing("cover", _packets("cover", 0), "video stream"),
    Thing("title and artist", _metadata(TITLES), "its (title|artist)"),
    Thing("XMP", _label, "XMP"),
    Thing("place, date, camera (QuickTime)", _metadata(PHONE), "its com", "phone"),
    Thing("names of tracks", _names, "(title|name) of"),
    Thing("languages of tracks", _languages, "language of"),
    Thing("marks of tracks", _marks, "mark"),
    Thing("rotation", _matrix, "rotation"),
    Thing("mirroring", _matrix, "mirroring", "mirrored"),
    Thing("colour tags", _colours, "colour"),
    Thing("pixels' aspect", _aspect, "aspect"),
    Thing("uneven time stamps", _uneven, "time", "uneven"),
    Thing("a late start", _late, "time", "uneven"),
    Thing("transparency", _clear, "transparency", "clear"),
    Thing("10 bits", _bits, "more than 8 bits", "deep", becomes=lambda bits: f"{bits} bits"),
    Thing("HDR metadata", _hdr, "HDR", "deep"),
    Thing("mark as interlaced", _interlaced, "interlaced", "interlaced"),
    Thing("time of the file", lambda path: path.stat().st_mtime == LONG_AGO or None, "time", stale=True),
)
