"""Films in every container, each with all that it can hold; what does not go together is in films of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.stream import Disposition
from film_clips import RATE, grey_frame, greys
from PIL import Image

from img2img.video.film_xmp import xmp_box
from kept.photo_parts import image, saved
from kept.tables import LONG_AGO

TITLES = {"title": "Harbour", "artist": "Anna"}
PHONE = {
    "com.apple.quicktime.make": "Maker",
    "com.apple.quicktime.creationdate": "2020-07-04T12:00:00+0200",
    "com.apple.quicktime.location.ISO6709": "+48.1+011.5/",
}
LABEL = "<xmp:Label>harbour wall</xmp:Label>"
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    f'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">{LABEL}</rdf:Description>'
    "</rdf:RDF></x:xmpmeta>"
)
_CHAPTERS: list[Any] = [
    {"id": number, "start": 250 * number, "end": 250 * number + 250, "time_base": Fraction(1, 1000)}
    | {"metadata": {"title": title}}
    for number, title in enumerate(("One", "Two"))
]
_COUNT = 12
_HDR = "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):cll=1000,400"
_DEEP = {".avi": "libx264", ".webm": "libsvtav1"}
_VIDEO = {".webm": "libvpx-vp9", ".avi": "mpeg4"}
_SOUND = {".webm": "libopus", ".avi": "mp3"}
_SUBTITLES = {".mkv": "subrip", ".webm": "webvtt", ".mp4": "mov_text", ".mov": "mov_text"}
_FAST = {"libx264": {"preset": "ultrafast"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}


def write_films(folder: Path, suffix: str) -> dict[str, Path]:
    """By the name of what they hold."""
    folder.mkdir(parents=True)
    paths = {"all": _write_all(folder / f"all{suffix}")}
    late = [48 + number + number // 2 for number in range(_COUNT)]
    paths["uneven"] = _write(folder / f"uneven{suffix}", stamps=late if suffix != ".avi" else range(_COUNT))
    paths["mirrored"] = _write(folder / f"mirrored{suffix}", mirrored=True)
    paths["deep"] = _write(folder / f"deep{suffix}", pixels="yuv420p10le", codec=_DEEP.get(suffix))
    codec, pixels = {".webm": ("libvpx-vp9", "yuva420p"), ".mkv": ("ffv1", "yuva420p")}.get(suffix, ("qtrle", "argb"))
    if suffix == ".avi":
        codec, pixels = "ffv1", "yuva420p"
    if suffix != ".mp4":
        paths["clear"] = _write(folder / f"clear{suffix}", codec=codec, pixels=pixels)
    if suffix in (".mp4", ".mov"):
        paths["phone"] = _write(folder / f"phone{suffix}", said=PHONE)
    if suffix != ".webm":
        paths["interlaced"] = _write(folder / f"interlaced{suffix}", fields=True)
    for path in paths.values():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return paths


def _write(
    path: Path,
    *,
    codec: str | None = None,
    pixels: str = "yuv420p",
    stamps: Sequence[int] = range(_COUNT),
    mirrored: bool = False,
    fields: bool = False,
    said: dict[str, str] | None = None,
) -> Path:
    coloured = {"x264-params": _HDR} if pixels == "yuv420p10le" else {}
    codec = codec or _VIDEO.get(path.suffix, "libx264")
    options = (
        (coloured if codec == "libx264" else {}) | _FAST.get(codec, {}) | ({"flags": "+ildct+ilme"} if fields else {})
    )
    with av.open(str(path), "w", container_options={"movflags": "use_metadata_tags"} if said else {}) as film:
        film.metadata.update(said or {})
        stream: Any = film.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 64 if codec == "libsvtav1" else 48, pixels
        stream.codec_context.time_base = Fraction(1, RATE)
        if codec == "libvpx-vp9" and pixels == "yuva420p":
            stream.metadata["alpha_mode"] = "1"
        if mirrored:
            stream.set_display_rotation(0, True)
        for stamp, frame in zip(stamps, _frames(pixels, stream.height), strict=True):
            frame.pts, frame.time_base = stamp, Fraction(1, RATE)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def _frames(pixels: str, height: int = 48) -> list[av.VideoFrame]:
    if pixels.startswith("yuv420p"):
        depth = np.uint16 if "10" in pixels else np.uint8
        return [grey_frame(grey.astype(depth) * (4 if "10" in pixels else 1), pixels) for grey in greys(_COUNT, height)]
    clear = [np.dstack([grey, grey, grey, np.full_like(grey, 90)]) for grey in greys(_COUNT)]
    return [av.VideoFrame.from_ndarray(each, "rgba").reformat(format=pixels) for each in clear]


def _write_all(path: Path) -> Path:
    with av.open(str(path), "w") as film:
        film.metadata.update(TITLES | ({"XMP": _XMP} if path.suffix in (".mkv", ".webm") else {}))
        videos: list[Any] = [film.add_stream(_VIDEO.get(path.suffix, "libx264"), rate=RATE) for _ in range(2)]
        for video in videos:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            video.options = _FAST.get(video.name, {})
        _describe(videos[0])
        if path.suffix == ".webm":
            videos[0].metadata["alpha_mode"] = "1"
        sounds: list[Any] = [film.add_stream(_SOUND.get(path.suffix, "aac"), rate=48000) for _ in range(2)]
        for sound, title in zip(sounds, ("Film", "Remarks"), strict=True):
            sound.metadata.update({"title": title, "language": "ger"})
        sounds[1].disposition = Disposition.comment | Disposition.hearing_impaired
        packets = [*_subtitles(film, path.suffix), *_cover(film, path.suffix)]
        if path.suffix == ".mkv":
            film.add_attachment("font.ttf", "application/x-truetype-font", b"FONT" * 10)
        film.set_chapters(_CHAPTERS)
        for stream in (*videos, *sounds):
            packets += _encoded(stream)
        for packet in sorted(packets, key=lambda each: (each.dts or 0) * each.time_base):
            film.mux(packet)
    if path.suffix == ".webm":  # FFmpeg writes no DisplayWidth for it, so that takes the place of AlphaMode
        path.write_bytes(path.read_bytes().replace(b"\x53\xc0\x81\1", b"\x54\xb0\x81" + bytes([64 * 4 // 3]), 1))
    if path.suffix in (".mp4", ".mov"):
        with path.open("ab") as stream:
            stream.write(xmp_box(_XMP.encode()))
    return path


def _describe(video: Any) -> None:
    video.set_display_rotation(90, False)
    context = video.codec_context
    context.sample_aspect_ratio = Fraction(4, 3)
    context.colorspace, context.color_primaries, context.color_trc, context.color_range = 5, 5, 5, 2


def _subtitles(film: Any, suffix: str) -> list[Packet[Any]]:
    if suffix not in _SUBTITLES:
        return []
    subtitles = film.add_mux_stream(_SUBTITLES[suffix])
    subtitles.metadata["language"], subtitles.disposition = "eng", Disposition.forced
    line: Packet[Any] = Packet(b"\0\x05Hello" if suffix in (".mp4", ".mov") else b"Hello")
    line.stream, line.pts, line.dts, line.duration, line.time_base = subtitles, 100, 100, 300, Fraction(1, 1000)
    return [line]


def _cover(film: Any, suffix: str) -> list[Packet[Any]]:
    content = saved(Image.fromarray(np.asarray(image())), "JPEG")
    if suffix == ".mkv":
        film.add_attachment("cover.jpg", "image/jpeg", content)
    if suffix != ".mp4":
        return []
    cover = film.add_mux_stream("mjpeg", width=48, height=32)
    cover.disposition = Disposition.attached_pic
    packet: Packet[Any] = Packet(content)
    packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1, 1000)
    packet.is_keyframe = True
    return [packet]


def _encoded(stream: Any) -> list[Any]:
    packets = []
    if stream.type == "video":
        for number, frame in enumerate(_frames("yuv420p")):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            packets += stream.encode(frame)
    else:
        form = {"opus": "flt", "libopus": "flt"}.get(stream.name, "fltp")
        for start in range(0, 24000, 960):
            tone = np.sin(np.arange(start, start + 960) / 20).astype(np.float32)
            both = np.ascontiguousarray(
                np.repeat(tone[:, None], 2, 1).reshape(1, -1) if form == "flt" else np.stack([tone] * 2)
            )
            sound = av.AudioFrame.from_ndarray(both, format=form, layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = 48000, start, Fraction(1, 48000)
            packets += stream.encode(sound)
    return [*packets, *stream.encode(None)]
