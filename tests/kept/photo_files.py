"""Photos in every format, each with all that the format can hold; what does not go together is in files of its own."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image
from png_bytes import png_bytes
from tiff_bytes import tiff_of

from img2img.photo.metadata.tiff_directory import TiffEntry, Tree, longs, shorts
from kept import photo_parts as parts
from kept.photo_parts import DPI, IPTC, REMARK, SRGB, TITLE, exif_block, image, samples, saved, xmp_packet
from kept.tables import Files

_GAIN = {"hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/", "GCamera": "http://ns.google.com/photos/1.0/camera/"}
_CLAIMS = 'hdrgm:Version="1.0" GCamera:MotionPhoto="1"'
_ADOBE_RGB = struct.pack(">8L", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
_HDR, _P3 = bytes([9, 16, 0, 1]), bytes([12, 13, 0, 1])  # as ITU-T H.273 numbers them: BT.2020 and PQ, P3 and sRGB


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 255, marker, len(data) + 2) + data


def jpeg_files() -> Files:
    rng = np.random.default_rng(0)
    tables = [rng.integers(1, 12, 64).tolist() for _ in range(2)]
    options = {"icc_profile": SRGB, "exif": exif_block(), "comment": REMARK, "progressive": True, "qtables": tables}
    base = saved(image(), "JPEG", dpi=DPI, subsampling=2, xmp=xmp_packet(_GAIN, _CLAIMS), **options)
    small = saved(image("L"), "JPEG")
    extended = b"http://ns.adobe.com/xmp/extension/\0" + bytes(32) + struct.pack(">LL", 3, 0) + b"<x>"
    beside = _segment(0xED, parts.PHOTOSHOP) + _segment(0xE1, extended) + _segment(0xEB, b"JP\0\1\0\0\0\1jumb")
    after_jfif = 4 + int.from_bytes(base[4:6], "big") - 2 + 2
    whole = base[:after_jfif] + beside + base[after_jfif:]
    stars = bytearray(saved(image(), "JPEG"))
    stars[13:18] = struct.pack(">BHH", 0, 2, 1)
    pictures = saved(image(), "MPO", save_all=True, append_images=[image("L")])
    return {
        "all": whole + small + parts.FILM,
        "gain": saved(image(), "JPEG", xmp=xmp_packet(_GAIN, 'hdrgm:Version="1.0"')) + small,
        "pictures": pictures,
        "thumbnail": saved(image(), "JPEG", exif=exif_block(None)),
        "grey profile": saved(image("L"), "JPEG", icc_profile=parts.grey_profile()),
        "ink": saved(image("CMYK"), "JPEG"),
        "aspect": bytes(stars),
    }


def png_files() -> Files:
    header = np.asarray(samples(4, 65535))
    hexadecimal = f"\niptc\n{len(IPTC)}\n{IPTC.hex()}".encode()
    dots = struct.pack(">2LB", *(round(each / 0.0254) for each in DPI), 1)
    before = [(b"iCCP", b"ICC\0\0" + zlib.compress(SRGB)), (b"sBIT", b"\x0c\x0c\x0c\x08"), (b"pHYs", dots)]
    before += [(b"bKGD", struct.pack(">3H", 1000, 2000, 3000)), (b"eXIf", exif_block()[6:])]
    before += [(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + xmp_packet()), (b"tEXt", f"Title\0{TITLE}".encode())]
    before += [(b"iTXt", b"Comment" + bytes(5) + REMARK.encode()), (b"caBX", b"jumb credentials")]
    before += [
        (b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(hexadecimal)),
        (b"tIME", bytes([7, 208, 1, 2, 3, 4, 5])),
    ]
    colours = [(b"gAMA", struct.pack(">L", 45455)), (b"cHRM", _ADOBE_RGB)]
    light = [(b"cICP", _HDR), (b"mDCV", bytes(range(24))), (b"cLLI", struct.pack(">2L", 10_000_000, 1))]
    grey = samples(1)
    profile = [(b"iCCP", b"ICC\0\0" + zlib.compress(parts.grey_profile()))]
    return {
        "all": png_bytes(header, 16, 6, before),
        "16 bits": png_bytes(header, 16, 6),
        "colours": png_bytes(grey, 8, 0, colours),
        "light": png_bytes(grey, 8, 0, light),
        "code": png_bytes(grey, 8, 0, [(b"cICP", _P3)]),
        "thumbnail": png_bytes(grey, 8, 0, [(b"eXIf", exif_block(None)[6:])]),
        "grey profile": png_bytes(grey, 8, 0, profile),
        "palette": saved(image().quantize(16), "PNG"),
        "aspect": png_bytes(grey, 8, 0, [(b"pHYs", struct.pack(">2LB", 2, 1, 0))]),
    }


def tiff_files() -> Files:
    def text(value: str) -> TiffEntry:
        return TiffEntry(2, value.encode() + b"\0")

    def rationals(*values: float) -> TiffEntry:
        return TiffEntry(5, b"".join(struct.pack("<LL", round(value * 10), 10) for value in values))

    def doubles(*values: float) -> TiffEntry:
        return TiffEntry(12, struct.pack(f"<{len(values)}d", *values))

    camera: dict[int, TiffEntry | Tree] = {0x9003: text(parts.TAKEN), 0x927C: TiffEntry(7, parts.MAKER_NOTE)}
    camera |= {0x9214: shorts("<", 10, 6, 8, 4), 0xA002: longs("<", parts.WIDTH), 0xA003: longs("<", parts.HEIGHT)}
    place: Tree = {1: text("N"), 2: rationals(*parts.LATITUDE)}
    tags: dict[int, TiffEntry | Tree] = {
        52545: TiffEntry(7, b"jumb credentials"),
        270: text(REMARK),
        271: text(parts.MAKER),
        274: shorts("<", parts.SIDE),
        296: shorts("<", 2),
    }
    tags |= {282: rationals(DPI[0]), 283: rationals(DPI[1]), 700: TiffEntry(1, xmp_packet())}
    tags |= {33723: TiffEntry(7, IPTC), 34675: TiffEntry(7, SRGB), 37724: TiffEntry(7, b"Adobe Photoshop Document")}
    tags |= {33550: doubles(10, 10, 0), 33922: doubles(0, 0, 0, 5e5, 4e6, 0)}
    tags |= {34665: camera, 34853: place}
    picture, grey, ink = samples(4, 65535), samples(1), np.asarray(image("CMYK"))
    mask = image("1")
    twelve = samples(1, 65535) // 16
    return {
        "all": tiff_of(picture, 2, extra=[2], tags=tags),
        "16 bits": tiff_of(picture, 2, extra=[2]),
        "grey profile": tiff_of(grey, 1, tags={34675: TiffEntry(7, parts.grey_profile())}),
        "ink": tiff_of(ink, 5),
        "lab": saved(Image.new("LAB", (16, 16), (120, 10, 20)), "TIFF"),
        "12 bits": tiff_of(twelve, 1, bits=12),
        "palette": saved(image().quantize(16), "TIFF"),
        "pictures": saved(image(), "TIFF", save_all=True, append_images=[image("L")]),
        "small": saved(image(), "TIFF", save_all=True, append_images=[_tagged(image().resize((8, 8)), 1)]),
        "mask": saved(image(), "TIFF", save_all=True, append_images=[_tagged(mask, 4)]),
        "channels": tiff_of(samples(4), 2, extra=[0]),
        "aspect": tiff_of(grey, 1, tags={282: rationals(2), 283: rationals(1), 296: shorts("<", 1)}),
    }


def _tagged(picture: Image.Image, kind: int) -> Image.Image:
    """A page that says what it is of the photo (NewSubfileType)."""
    picture.encoderinfo = {"tiffinfo": {254: kind}}
    return picture


def webp_files() -> Files:
    options = {"icc_profile": SRGB, "exif": exif_block(), "xmp": xmp_packet()}
    return {
        "all": with_credentials(saved(image("RGBA"), "WEBP", lossless=True, exact=True, **options)),
        "thumbnail": saved(image(), "WEBP", exif=exif_block(None)),
    }


def with_credentials(webp: bytes) -> bytes:
    whole = webp + b"C2PA\4\0\0\0jumb"
    return whole[:4] + struct.pack("<L", len(whole) - 8) + whole[8:]


def avif_files() -> Files:
    options = {"icc_profile": SRGB, "exif": exif_block(), "xmp": xmp_packet(), "quality": 90}
    return {
        "all": saved(image("RGBA"), "AVIF", **options) + _CREDENTIALS_BOX,
        "grey profile": saved(image("L"), "AVIF", icc_profile=parts.grey_profile()),
        "light": _with_code(saved(image(), "AVIF"), _HDR),
        "code": _with_code(saved(image(), "AVIF"), _P3),
        "thumbnail": saved(image(), "AVIF", exif=exif_block(None)),
        "10 bits": _ten_bits(),
    }


def _with_code(content: bytes, code: bytes) -> bytes:
    """Its nclx box says that of its colours."""
    at = content.index(b"colrnclx") + 8
    return content[:at] + struct.pack(">2H", *code[:2]) + content[at + 4 :]


def _ten_bits() -> bytes:
    import av

    os.environ.setdefault("SVT_LOG", "1")  # of the encoder: errors only
    stream = io.BytesIO()
    with av.open(stream, "w", format="avif") as output:
        pictures = output.add_stream("libsvtav1", rate=1)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p10le"
        frame = av.VideoFrame.from_ndarray(np.asarray(image().resize((64, 64))), "rgb24")
        output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
    return stream.getvalue()


def gif_files() -> Files:
    picture = image().quantize(16)
    picture.info["transparency"] = 3
    plain = saved(picture, "GIF", comment=REMARK.encode(), transparency=3)
    at = plain.index(b"\x21\xfe")
    return {"all": plain[:at] + gif_blocks() + plain[at:], "palette": plain}


def gif_blocks() -> bytes:
    """Application extensions: a profile, XMP, credentials."""
    blocks = b"".join(bytes([len(run)]) + run for run in (SRGB[i : i + 255] for i in range(0, len(SRGB), 255)))
    profile = b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0"
    magic = b"\1" + bytes(range(255, -1, -1)) + b"\0"  # by which readers of blocks find the packet's end
    packet = b"\x21\xff\x0bXMP DataXMP" + xmp_packet() + magic
    credentials = b"\x21\xff\x0bC2PA_GIF\1\0\0" + b"\4jumb\0"
    return profile + packet + credentials


def bmp_files() -> Files:
    """The newest header (BITMAPV5) has room for a profile."""
    rows = np.asarray(image("RGBA"))[::-1, :, [2, 1, 0, 3]].tobytes()
    header = struct.pack("<LllHHLLllLL", 124, parts.WIDTH, parts.HEIGHT, 1, 32, 3, len(rows), 11811, 5906, 0, 0)
    header += struct.pack("<4L", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"DEBM" + bytes(36 + 12)
    header += struct.pack("<4L", 4, 124 + len(rows), len(SRGB), 0)
    start = struct.pack("<2sLLL", b"BM", 14 + 124 + len(rows) + len(SRGB), 0, 14 + 124)
    return {"all": start + header + rows + SRGB, "palette": saved(image().quantize(16), "BMP")}


_CREDENTIALS_BOX = struct.pack(">L4s", 28, b"uuid") + bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"jumb"
_ALPHA = b"urn:mpeg:hevc:2015:auxid:1"


def heic_files() -> Files:
    import pillow_heif

    def heic(*pictures: Image.Image) -> bytes:
        file, stream = pillow_heif.from_pillow(pictures[0]), io.BytesIO()
        for each in pictures[1:]:
            file.add_from_pillow(each)
        file.save(stream, quality=90)
        return stream.getvalue()

    deep, stream = samples(3, 65535), io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (parts.WIDTH, parts.HEIGHT), deep.tobytes()).save(stream)
    packet = xmp_packet(_GAIN, 'GCamera:MotionPhoto="1"')
    pillow_heif.register_heif_opener()
    whole = saved(image("RGBA"), "HEIF", exif=exif_block(), xmp=packet, icc_profile=SRGB, quality=90)
    box = struct.pack(">L4s", 8 + len(parts.FILM), b"mpvd") + parts.FILM
    return {
        "all": whole + box + _CREDENTIALS_BOX,
        "pictures": heic(image(), image("L").convert("RGB").rotate(180)),
        "10 bits": stream.getvalue(),
        "light": _with_code(heic(image()), _HDR),
        "code": _with_code(heic(image()), _P3),
        "gain": saved(image("RGBA"), "HEIF").replace(_ALPHA, b"urn:com:apple:hdrgainmap:1"),
        "thumbnail": saved(image(), "HEIF", exif=exif_block(None)),
    }


PHOTOS = {
    "JPEG": (".jpg", jpeg_files),
    "PNG": (".png", png_files),
    "TIFF": (".tif", tiff_files),
    "WebP": (".webp", webp_files),
    "AVIF": (".avif", avif_files),
    "GIF": (".gif", gif_files),
    "BMP": (".bmp", bmp_files),
    "HEIC": (".heic", heic_files),
}
