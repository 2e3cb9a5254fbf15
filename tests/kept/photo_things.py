"""The rows of the tables about photos: what can be in one, and how it is seen."""

from __future__ import annotations

from kept import photo_looks as looks
from kept import pixel_looks as pixels
from kept.tables import Thing


def _profile(icc: bytes) -> str:
    return looks.profile_in_words(icc)


def _bits(bits: int) -> str:
    return f"{bits} bits"


def _mode(mode: str) -> str:
    return mode.replace("RGBA", "RGB")


_AREA = (32, 48, (26, 10, 4, 8))  # (10, 6, 8, 4) of 48 x 32, turned to the right: 32 - 6 from the left, 10 from the top
_FACE = {"x": 0.9, "y": 0.25, "w": 0.2, "h": 0.3}

THINGS = (
    Thing("orientation", looks.orientation, "orientation", turned=lambda seen: (1, seen[1])),
    Thing("camera and date (EXIF)", looks.camera, "EXIF"),
    Thing("maker's note (EXIF)", looks.maker_note, "EXIF"),
    Thing("sides and subject area (EXIF)", looks.places_in_exif, "EXIF", turned=lambda _: _AREA),
    Thing("place (GPS)", looks.latitude, "EXIF"),
    Thing("thumbnail (EXIF)", looks.exif_thumbnail, "thumbnail", "thumbnail", stale=True),
    Thing("titles, ratings (XMP)", looks.xmp_title, "XMP"),
    Thing("face regions (XMP)", looks.face, "XMP", turned=lambda _: _FACE),
    Thing("thumbnail (XMP)", looks.xmp_thumbnail, "thumbnail", stale=True),
    Thing("extended XMP", looks.held(b"http://ns.adobe.com/xmp/extension/"), "extended XMP"),
    Thing("captions (IPTC)", looks.caption, "IPTC|zTXt", becomes=bytes.decode),
    Thing("comment, description", looks.comment, "comment|iTXt"),
    Thing("texts of a PNG", looks.png_title, r"text \(tEXt\)"),
    Thing("RGB profile (ICC)", looks.profile, "colour profile"),
    Thing("grey profile (ICC)", looks.profile, "colour profile", "grey profile", becomes=_profile),
    Thing("gAMA and cHRM", looks.tone_curve, "tone curve", "colours", becomes=_profile),
    Thing("colour code (cICP, nclx)", looks.colour_code, "colour space", "code", becomes=_profile),
    Thing("colour code of HDR", looks.colour_code, "colour space", "light", becomes=_profile),
    Thing("mDCV and cLLI", looks.chunk(b"mDCV", b"cLLI"), "mastering display", "light"),
    Thing("sBIT", looks.chunk(b"sBIT"), "significant bits"),
    Thing("bKGD", looks.chunk(b"bKGD"), "background"),
    Thing("tIME", looks.chunk(b"tIME"), "tIME", stale=True),
    Thing("resolution", looks.resolution, "resolution", turned=lambda dpi: dpi[::-1]),
    Thing("pixels' aspect", pixels.aspect, "aspect|pHYs", "aspect"),
    Thing("transparency", pixels.transparency, "transparency"),
    Thing("16 bits", pixels.bits, "of its 16 bits", "16 bits", becomes=_bits),
    Thing("12 bits", pixels.bits, "of its 16 bits", "12 bits", becomes=_bits),
    Thing("10 bits", pixels.bits, "of its 10 bits", "10 bits", becomes=_bits),
    Thing("CMYK", pixels.mode, "CMYK", "ink", becomes=_mode),
    Thing("Lab", pixels.mode, "Lab", "lab", becomes=_mode),
    Thing("palette", pixels.mode, "palette", "palette", becomes=_mode),
    Thing("further pictures, pages", pixels.pictures, "further pictures", "pictures"),
    Thing("smaller copies as pages", pixels.pictures, "thumbnail", "small", stale=True),
    Thing("mask as a page", pixels.pictures, "mask", "mask"),
    Thing("further channels", pixels.channels, "further channels", "channels"),
    Thing("Photoshop's layers", pixels.tag(37724), "layers"),
    Thing("georeference, turned", pixels.tag(33550), "georeference"),
    Thing("motion film", looks.held(b"ftypmp42"), "motion film"),
    Thing("gain map", pixels.gain_map, "gain map", "gain"),
    Thing("content credentials", looks.held(b"jumb"), "credentials"),
    Thing("quantisation tables", pixels.tables, "tables", stale=True, turned=pixels.turned_tables),
    Thing("subsampling", pixels.subsampling, "subsampling", stale=True),
    Thing("progressive", pixels.progressive, "progressive", stale=True),
    Thing("lossless", pixels.lossless, "lossless"),
    Thing("time of the file", looks.written_long_ago, "time", stale=True),
)
