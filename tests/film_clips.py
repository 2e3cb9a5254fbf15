"""Films drawn by code: a grey picture that moves by whole pixels, with a tone beside it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

RATE = 24


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Soft spots, uint8, 40 to 210."""
    noise = np.random.default_rng(seed).normal(size=(height + 16, width + 16))
    kernel = np.hanning(11) / np.hanning(11).sum()
    for axis in (0, 1):
        noise = np.apply_along_axis(np.convolve, axis, noise, kernel, mode="same")
    noise = noise[8:-8, 8:-8]
    grain: np.ndarray = (125 + 85 * np.clip(noise / (2.5 * noise.std()), -1, 1)).astype(np.uint8)
    return grain


def greys(count: int, height: int = 48, width: int = 64, step: int = 1) -> list[np.ndarray]:
    """(height, width) each, moving to the left by `step` pixels a frame."""
    scene = texture(height, width + step * count)
    return [scene[:, step * number : step * number + width] for number in range(count)]


def write_film(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "",
    pixels: str = "yuv420p",
    stamps: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, RATE),
    tone: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    set_up: Callable[[VideoStream], None] = lambda stream: None,
    prepare: Callable[[Any], None] = lambda container: None,
) -> Path:
    """A film whose stored luma is `pictures`, chroma neutral; `stamps` are in `time_base`.

    Lossless where neither codec nor options are given; WebM's is VP9, which is not.
    """
    codec = codec or ("libvpx-vp9" if path.suffix == ".webm" else "libx264")
    options = {} if options is None and codec == "libvpx-vp9" else options
    with av.open(str(path), "w", container_options=container_options) as film:
        stream = film.add_stream(codec, rate=RATE, options={"qp": "0"} if options is None else options)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = pixels
        stream.codec_context.time_base = time_base
        set_up(stream)
        sound = film.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=48000) if tone else None
        prepare(film)
        for number, picture in enumerate(pictures):
            frame = grey_frame(picture, pixels)
            frame.pts, frame.time_base = (stamps[number] if stamps else number), time_base
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        if sound is not None:
            _write_tone(film, sound, len(pictures) / RATE)
    return path


def grey_frame(picture: np.ndarray, pixels: str) -> VideoFrame:
    """A frame with this stored luma and neutral chroma."""
    frame = VideoFrame(picture.shape[1], picture.shape[0], pixels)
    for index, plane in enumerate(frame.planes):
        neutral = 512 if picture.dtype == np.uint16 else 128
        plane_view(frame, index)[:] = picture if index == 0 else neutral
        assert plane.line_size
    return frame


def plane_view(frame: VideoFrame, index: int = 0) -> np.ndarray:
    plane = frame.planes[index]
    depth = np.uint16 if "10" in frame.format.name else np.uint8
    values: np.ndarray = np.frombuffer(plane, depth)  # type: ignore[call-overload]  # a plane is a buffer
    return values.reshape(plane.height, -1)[:, : plane.width]


def read_film(path: Path) -> list[VideoFrame]:
    with av.open(str(path)) as film:
        return list(film.decode(video=0))


def lumas(path: Path) -> np.ndarray:
    """(frames, H, W)."""
    return np.stack([plane_view(frame) for frame in read_film(path)])


def packets(path: Path, kind: str) -> list[tuple[Any, bytes]]:
    """Time stamp and content of those of the first stream of a kind."""
    with av.open(str(path)) as film:
        stream = getattr(film.streams, kind)[0]
        return [(packet.pts, bytes(packet)) for packet in film.demux(stream) if packet.size]


def _write_tone(film: Any, stream: Any, seconds: float) -> None:
    times = np.arange(round(48000 * seconds)) / 48000
    wave = np.repeat(0.2 * np.sin(2 * np.pi * 440 * times)[None], 2, axis=0).astype(np.float32)
    for start in range(0, wave.shape[1], 960):
        part = np.ascontiguousarray(wave[:, start : start + 960])
        if stream.name == "opus":
            part = np.ascontiguousarray(part.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(part, format="flt" if stream.name == "opus" else "fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        film.mux(stream.encode(frame))
    film.mux(stream.encode())


def first_half(film: Path) -> Path:
    """A file beside it, cut.mkv or the like, that breaks off in the middle."""
    cut = film.with_name(f"cut{film.suffix}")
    cut.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    return cut
