"""Tags of a TIFF that describe how its own pixels are laid out, in words of their own: untrue of any other picture."""

from __future__ import annotations

import re
from dataclasses import replace

from img2img.photo.metadata.tiff_directory import Directory

_DESCRIPTION = 270
# OME-XML, ImageJ, tifffile, and MetaMorph describe channels, axes and sides in it.
_LAYOUT = re.compile(rb'\s*(<\?xml[^>]*>\s*(<!--.*?-->\s*)?)?(<OME\b|<MetaData\b|ImageJ=|\{"shape":)', re.DOTALL)
# MetaMorph, Zeiss, ImageJ, Micro-Manager.
_INSTRUMENTS = (*range(33628, 33632), 34412, 50838, 50839, 51123)
_CREDENTIALS = 52545  # C2PA's: signed for the old file's bytes
_LAYERS = 37724  # Photoshop's, which hold the old picture; metadata/exif.py leaves them out
_PLACES_ON_EARTH = (33550, 33922, 34264)  # GeoTIFF: pixels to places


def true_directory(directory: Directory, side: int) -> tuple[Directory, tuple[str, ...]]:
    """What is still true of the first directory for pixels turned upright from that side, and what was left out."""
    entries, lost = dict(directory.entries), []
    description = entries.get(_DESCRIPTION)
    stale = [tag for tag in _INSTRUMENTS if tag in entries]
    if description is not None and _LAYOUT.match(description.data):
        stale.append(_DESCRIPTION)
    if stale:
        lost.append("the microscope's description")
    if _LAYERS in entries:
        lost.append("Photoshop's layers")
    if _CREDENTIALS in entries:
        lost.append("content credentials")
        stale.append(_CREDENTIALS)
    if side != 1 and entries.keys() & set(_PLACES_ON_EARTH):
        lost.append("georeference")
        stale += _PLACES_ON_EARTH
    kept = {tag: entry for tag, entry in entries.items() if tag not in stale}
    return replace(directory, entries=kept), tuple(lost)
