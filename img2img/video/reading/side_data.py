"""What comes beside a frame's pixels: its display matrix, and the names of what a new film cannot hold."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideData, SideDataContainer, Type
from av.stream import Stream
from av.video.frame import VideoFrame

_TYPES = 256  # as many as FFmpeg is asked to leave out; it has about 40
_LEFT_OUT = {
    "MASTERING_DISPLAY_METADATA": "HDR metadata",
    "CONTENT_LIGHT_LEVEL": "HDR metadata",
    "DYNAMIC_HDR_PLUS": "HDR metadata",
    "DYNAMIC_HDR_VIVID": "HDR metadata",
    "DOVI_METADATA": "HDR metadata",
    "DOVI_RPU_BUFFER": "HDR metadata",
    "SPHERICAL": "its mark as a spherical film",
    "STEREO3D": "its mark as a stereoscopic film",
    "ICC_PROFILE": "its colour profile",
}


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """Nine numbers, as FFmpeg has them; None where the film has none."""
    found = [data for data in _side_data(frame) if data.type is Type.DISPLAYMATRIX]
    return tuple(np.frombuffer(memoryview(found[0]), np.int32).tolist()) if found else None


def left_out(frame: VideoFrame) -> tuple[str, ...]:
    """What a new frame will not have, in words."""
    names = [_LEFT_OUT[data.type.name] for data in _side_data(frame) if data.type.name in _LEFT_OUT]
    if frame.interlaced_frame:
        names.append("its mark as interlaced")
    return tuple(dict.fromkeys(names))


def has_alpha_beside(stream: Stream) -> bool:
    """Whether each picture has a second one, its opacity, as WebM's do: FFmpeg's own decoders leave it out."""
    said = {key.lower(): value for key, value in stream.metadata.items()}
    context = stream.codec_context
    return context is not None and context.name in ("vp8", "vp9") and said.get("alpha_mode") == "1"


def _side_data(frame: VideoFrame) -> list[SideData]:
    """All of the types that PyAV has a name for: of a frame with one of another type it gives none at all."""
    try:
        return _listed(frame)
    except ValueError:
        return _listed(_without_unnamed(frame))


def _listed(frame: VideoFrame) -> list[SideData]:
    return list(cast(SideDataContainer, frame.side_data))


def _without_unnamed(frame: VideoFrame) -> VideoFrame:
    named = {int(cast(int, each.value)) for each in Type}
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1)
    )
    filters = [graph.add("sidedata", f"mode=delete:type={number}") for number in range(_TYPES) if number not in named]
    graph.link_nodes(source, *filters, graph.add("buffersink")).configure()
    graph.push(frame)
    return cast(VideoFrame, graph.pull())
