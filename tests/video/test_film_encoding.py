"""How new pictures are compressed: what the encoder itself says of its settings, and what it keeps in memory."""

from fractions import Fraction

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from film_clips import grey_frame, texture

from img2img.video.encoding import ENCODINGS, Encoding
from img2img.video.look import look_of


def compressed(encoding: Encoding, width: int, height: int) -> tuple[bytes, int]:
    """What comes of 30 pictures, and how many had gone in before anything came."""
    frame = grey_frame(texture(height, width), "yuv420p")
    context = av.CodecContext.create(encoding.codec, "w")
    assert isinstance(context, VideoCodecContext)
    encoding.prepare(context, look_of(frame, None), time_base=Fraction(1, 25), rate=Fraction(25))
    packets: list[bytes] = []
    held = 0
    for number in range(30):
        frame.pts = number
        packets += map(bytes, context.encode(frame))
        held += not packets
    packets += map(bytes, context.encode(None))
    return b"".join(packets), held


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "settings"),
    [(2560, 1440, (b"rc_lookahead=10 ", b"crf=17.0 ")), (2576, 1456, (b"rc_lookahead=3 ", b"crf=16.0 "))],
    ids=["the largest that is not large", "large"],
)
def test_x264_looks_less_far_ahead_in_a_large_film(width: int, height: int, settings: tuple[bytes, ...]) -> None:
    written, _ = compressed(ENCODINGS[".mp4"], width, height)
    assert [each for each in settings if each not in written] == []


@pytest.mark.slow
def test_vp9_holds_fewer_pictures_of_a_large_film() -> None:
    assert compressed(ENCODINGS[".webm"], 320, 180)[1] == 24
    assert compressed(ENCODINGS[".webm"], 2576, 1456)[1] == 7
