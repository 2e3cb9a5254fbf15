"""How new pictures are compressed, by the suffix of the film that they go into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from av.codec import Codec
from av.video.codeccontext import VideoCodecContext

from img2img.video.look import Look

SEGMENT = 250  # frames between which a film can be picked up again; x264's own longest way from key frame to key frame

QUICKTIME = ("mp4", "mov")
"""FFmpeg's names of the containers that are QuickTime's, or made after it."""
LARGE_PICTURE = 2560 * 1440  # pixels


@dataclass(frozen=True)
class Encoding:
    """A container (FFmpeg's name) and its codec; `reorder`: by how many frames packets may run ahead of their time.

    `large`: what differs of the options for pictures of more than LARGE_PICTURE pixels.
    """

    container: str
    codec: str
    options: Mapping[str, str]
    large: Mapping[str, str]
    reorder: int

    def takes(self, pixels: str) -> bool:
        """Whether the encoder was built for the pixel format: VP9's may be for 8 bits only."""
        formats = Codec(self.codec, "w").video_formats
        return formats is None or any(each.name == pixels for each in formats)

    def prepare(self, context: VideoCodecContext, look: Look, *, time_base: Fraction, rate: Fraction) -> None:
        """Sets up an encoder that is not open yet: that of a segment, and of the film, whose headers must be alike."""
        context.width, context.height, context.pix_fmt = look.width, look.height, look.pixels
        context.time_base, context.framerate = time_base, rate
        context.sample_aspect_ratio = look.aspect or Fraction(0)  # unknown
        context.colorspace, context.color_primaries, context.color_trc = look.matrix, look.primaries, look.transfer
        context.color_range = 2 if look.full_range else 1
        context.options = {**self.options, **(self.large if look.width * look.height > LARGE_PICTURE else {})}


# Beside "fast" at 18, half the time: grain takes the same space, 0.4 dB worse; clean film a quarter more, 0.6 dB worse.
_H264 = {"crf": "17", "preset": "veryfast", "bf": "3", "g": str(SEGMENT)}
# It looks ahead at 10 otherwise, 160 MiB more at 3840 x 2160. A shorter look lowers the quality that a CRF stands for.
_H264_LARGE = {"crf": "16", "rc-lookahead": "3"}
_VP9 = {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "g": str(SEGMENT)}
_VP9_LARGE = {"lag-in-frames": "8"}  # of 25: 300 MiB less
ENCODINGS = {
    ".mp4": Encoding("mp4", "libx264", _H264, _H264_LARGE, reorder=2),
    ".m4v": Encoding("mp4", "libx264", _H264, _H264_LARGE, reorder=2),
    ".mov": Encoding("mov", "libx264", _H264, _H264_LARGE, reorder=2),
    ".mkv": Encoding("matroska", "libx264", _H264, _H264_LARGE, reorder=2),
    ".webm": Encoding("webm", "libvpx-vp9", _VP9, _VP9_LARGE, reorder=0),
}
