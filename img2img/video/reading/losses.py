"""Pictures that are in a film's packets, or were, and that its decoder does not give."""

from __future__ import annotations

from typing import Any

from av.codec import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_VP8_SHOWN = 0x10  # in a packet's first byte: VP8 has pictures that others lean on and nobody sees
_HEADERS = 64  # bytes between packets that a container may have for itself
_NEAR = 32  # steps, within which a packet's time is, in the order of decoding, of that of the frames beside it
_FIELD = 0.75  # steps; the second of a picture's two fields comes in a packet of its own, half a step after the first


class Losses:
    """Counts, as packets go in and frames come out, in the order of time, what is lost or spoilt between them.

    `after`: a time stamp up to which nothing counts, as it is known; what comes before the first key frame does not
    count either: a recording may begin in the middle of things. `step`: from frame to frame, as a rule. `timed`:
    whether the packets say when they are shown; where they do not, only what is spoilt is known.
    """

    def __init__(self, stream: VideoStream, step: int, after: int | None, *, timed: bool) -> None:
        self._is_vp8 = stream.codec_context.name == "vp8"
        self._timed = timed
        self._strict = _strict_decoder() if stream.codec_context.name == "mjpeg" else None
        self._spoilt: set[int] = set()
        self._unseen = 0
        self._step, self._after = step, after
        self._first: int | None = None
        self._expected: set[int] = set()
        self._torn: set[int] = set()
        self._last: int | None = None
        self._read_to: int | None = None

    def tears(self, packet: Packet[Any]) -> bool:
        """Whether more bytes lie between the packet before, of whatever stream, and this one than a container needs."""
        if packet.pos is None or not packet.size:
            return False
        skipped = packet.pos - self._read_to if self._read_to is not None else 0
        self._read_to = max(self._read_to or 0, packet.pos + packet.size)
        return skipped > _HEADERS

    def packet(self, packet: Packet[Any], torn: bool) -> None:
        """One of the main pictures' packets goes in; `torn`: after bytes of the file that no packet claimed."""
        if packet.pts is None or packet.is_discard or not packet.size:
            return
        if self._strict and not _is_whole(packet, self._strict):
            self._spoilt.add(packet.pts)
        if not self._timed:
            return
        if self._first is None and packet.is_keyframe:
            self._first = packet.pts
        if torn:
            self._torn.add(packet.pts)
        if self._counts(packet.pts) and self._is_shown(packet):
            self._expected.add(packet.pts)

    def undecoded(self, packet: Packet[Any] | None) -> None:
        """The decoder refused it: a picture that nobody sees is missed by the next one, which leans on it."""
        if packet is not None and packet.size and packet.pts is not None and not self._is_shown(packet):
            self._unseen += self._counts(packet.pts)

    def frame(self, frame: VideoFrame) -> int:
        """A frame comes out; how many before it never will, and it too where only a strict decoder sees a fault."""
        if frame.pts is None:
            return 0
        lost = {stamp for stamp in self._expected if stamp < frame.pts}
        self._expected -= {*lost, frame.pts}
        if frame.interlaced_frame and self._last is not None:
            lost = {stamp for stamp in lost if stamp - (self._last or 0) >= _FIELD * self._step}
        count = max(len(lost), self._torn_out(frame.pts)) + self._unseen
        self._last, self._unseen = frame.pts, 0
        return count + (frame.pts in self._spoilt and not frame.is_corrupt)

    def rest(self) -> int:
        """How many never came out, at the end."""
        return len(self._expected)

    def _counts(self, stamp: int) -> bool:
        return self._first is not None and stamp >= self._first and (self._after is None or stamp > self._after)

    def _is_shown(self, packet: Packet[Any]) -> bool:
        return not self._is_vp8 or bool(memoryview(packet)[0] & _VP8_SHOWN)

    def _torn_out(self, stamp: int) -> int:
        """How many are missing before the frame of this time, where bytes of the file are, too."""
        if self._last is None or not self._torn or (self._after is not None and stamp <= self._after):
            return 0
        missing = round((stamp - self._last) / self._step) - 1
        near = (self._last - _NEAR * self._step, stamp + _NEAR * self._step)
        return missing if missing > 0 and any(near[0] <= torn <= near[1] for torn in self._torn) else 0


def _strict_decoder() -> VideoCodecContext:
    """For JPEGs, which FFmpeg else fills with grey where bytes are missing, and says nothing."""
    decoder = CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = {"err_detect": "explode"}
    return decoder


def _is_whole(packet: Packet[Any], decoder: VideoCodecContext) -> bool:
    try:
        return bool(decoder.decode(packet))
    except FFmpegError:
        return False
