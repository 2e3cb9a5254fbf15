"""PNG, JPEG, WebP, GIF, BMP, HEIC and AVIF of every mode that they have, and what is no photo of ours."""

from __future__ import annotations

import io
import struct
import zlib
from importlib.util import find_spec
from itertools import product
from typing import Any

import png as pypng
from PIL import Image, ImageCms, features

from fuzz.samples.sample import HEIGHT, WIDTH, Sample, image, picture

_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="6"/></x:xmpmeta>'


def exif_block(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A], exif[0x011B] = orientation, "Maker", 300.0, 300.0
    exif.get_ifd(0x8769)[0xA002] = WIDTH
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png() -> list[Sample]:
    made = dict(_pngs_of_modes())
    text = _png_of(8, 3, False)[8:]
    iccp, exif = b"P\0\0" + zlib.compress(profile()), exif_block()[6:]
    extra = ((b"iCCP", iccp), (b"eXIf", exif), (b"pHYs", struct.pack(">2LB", 5906, 5906, 1)), (b"tIME", bytes(7)))
    texts = ((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP), (b"zTXt", b"C\0\0" + zlib.compress(b"hm" * 20)))
    colors = ((b"gAMA", struct.pack(">L", 45455)), (b"cHRM", bytes(32)), (b"sRGB", b"\0"), (b"cICP", b"\1\x0d\0\1"))
    made["described"] = _with_chunks(text, extra + texts)
    made["described-16"] = _with_chunks(_png_of(16, 3, False)[8:], extra + texts)
    made["colour-chunks"] = _with_chunks(text, (*colors, (b"bKGD", bytes(6)), (b"sBIT", b"\5\6\5")))
    frames = [image("RGBA"), image("RGBA").rotate(180), image("RGBA").crop((3, 3, 12, 12))]
    made["apng"] = saved(frames[0], "PNG", save_all=True, append_images=frames[1:2], duration=[50, 70], loop=2)
    made["apng-grey"] = saved(image("L"), "PNG", save_all=True, append_images=[image("L").rotate(180)], blend=0)
    return [Sample(f"png/{name}", ".png", "png", data) for name, data in made.items()]


def _pngs_of_modes() -> list[tuple[str, bytes]]:
    kinds = [*product((1, 2, 4, 8, 16), (1,)), *product((8, 16), (2, 3, 4))]
    made = [
        (f"{channels}x{bits}{'-interlaced' * interlaced}", _png_of(bits, channels, interlaced))
        for (bits, channels), interlaced in product(kinds, (False, True))
    ]
    made += [
        (f"keyed-{channels}x{bits}", _png_of(bits, channels, False, keyed=True))
        for channels in (1, 3)
        for bits in (8, 16)
    ]
    made += [(f"palette-{bits}", _palette_png(bits, alpha=bits > 2)) for bits in (1, 2, 4, 8)]
    return made


def _png_of(bits: int, channels: int, interlaced: bool, *, keyed: bool = False) -> bytes:
    values = picture(channels, "uint16" if bits == 16 else "uint8") >> (8 - bits if bits < 8 else 0)
    rows = values.reshape(HEIGHT, -1)
    key = tuple(int(value) for value in values.reshape(-1, channels)[5])
    writer = pypng.Writer(
        WIDTH,
        HEIGHT,
        greyscale=channels < 3,
        alpha=channels in (2, 4),
        bitdepth=bits,
        interlace=interlaced,
        transparent=(key if channels > 1 else key[0]) if keyed else None,
    )
    stream = io.BytesIO()
    writer.write(stream, rows.tolist())
    return stream.getvalue()


def _palette_png(bits: int, *, alpha: bool) -> bytes:
    count = 2**bits
    colors = [((37 * i) % 256, (91 * i) % 256, 255 - i, 255 - 9 * i % 256)[: 4 if alpha else 3] for i in range(count)]
    stream = io.BytesIO()
    writer = pypng.Writer(WIDTH, HEIGHT, palette=colors, bitdepth=bits)
    writer.write(stream, (picture(1).astype(int) % count).tolist())
    return stream.getvalue()


def _with_chunks(after_signature: bytes, chunks: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """A PNG without its signature, and these between its header and what follows."""
    header, rest = after_signature[:25], after_signature[25:]
    made = b"".join(
        struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + header + made + rest


def jpeg() -> list[Sample]:
    rgb, icc = image("RGB"), profile()
    made = {
        "grey": saved(image("L"), "JPEG"),
        "444": saved(rgb, "JPEG", subsampling=0),
        "420": saved(rgb, "JPEG", subsampling=2),
        "422-restarts": saved(rgb, "JPEG", subsampling=1, restart_marker_blocks=1),
        "progressive": saved(rgb, "JPEG", progressive=True, optimize=True),
        "rgb": saved(rgb, "JPEG", keep_rgb=True),
        "cmyk": saved(image("CMYK"), "JPEG"),
        "described": saved(rgb, "JPEG", exif=exif_block(), xmp=_XMP, icc_profile=icc, dpi=(300, 200), comment=b"hm"),
        "grey-turned": saved(image("L"), "JPEG", exif=exif_block(8)),
        "iptc": saved(rgb, "JPEG", extra=_photoshop_segment()),
        "mpo": saved(rgb, "MPO", save_all=True, append_images=[rgb.rotate(180)], exif=exif_block(3)),
    }
    return [Sample(f"jpeg/{name}", ".jpg", "jpeg", data) for name, data in made.items()]


def _photoshop_segment() -> bytes:
    caption = b"\x1c\x02\x78\0\x02hm"
    content = b"Photoshop 3.0\0" + struct.pack(">4sHHL", b"8BIM", 0x0404, 0, len(caption)) + caption + b"\0"
    return struct.pack(">HH", 0xFFED, 2 + len(content)) + content


def webp() -> list[Sample]:
    rgb, rgba = image("RGB"), image("RGBA")
    made = {
        "lossy": saved(rgb, "WEBP"),
        "lossless": saved(rgb, "WEBP", lossless=True),
        "lossy-alpha": saved(rgba, "WEBP"),
        "lossless-alpha": saved(rgba, "WEBP", lossless=True, exact=True),
        "described": saved(rgb, "WEBP", exif=exif_block(), xmp=_XMP, icc_profile=profile()),
        "animated": saved(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(180)], duration=40, lossless=True),
    }
    return [Sample(f"webp/{name}", ".webp", "riff", data) for name, data in made.items()]


def gif() -> list[Sample]:
    frames = [image("P"), image("P").rotate(180)]
    made = {
        "grey": saved(image("L"), "GIF"),
        "palette": saved(image("P"), "GIF", interlace=True),
        "two-colours": saved(image("1"), "GIF"),
        "transparent": saved(image("P"), "GIF", transparency=3, comment=b"hm"),
        "animated": saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=[30, 90], loop=0),
        "animated-disposed": saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2),
    }
    return [Sample(f"gif/{name}", ".gif", "gif", data) for name, data in made.items()]


def bmp() -> list[Sample]:
    made = {mode: saved(image(mode), "BMP", dpi=(300, 200)) for mode in ("1", "L", "P", "RGB", "RGBA")}
    return [Sample(f"bmp/{mode}", ".bmp", "bmp", data) for mode, data in made.items()]


def heif() -> list[Sample]:
    """HEIC and AVIF, of which only what can be written here."""
    made = {}
    if features.check("avif"):
        made["avif"] = (".avif", saved(image("RGB"), "AVIF", exif=exif_block()))
        made["avif-alpha"] = (".avif", saved(image("RGBA"), "AVIF"))
    if find_spec("pillow_heif"):
        made |= {f"heic-{name}": (".heic", data) for name, data in _heics().items()}
    return [Sample(f"heif/{name}", suffix, "iso", data) for name, (suffix, data) in made.items()]


def _heics() -> dict[str, bytes]:
    import pillow_heif

    stream = io.BytesIO()
    side = 48
    rgb = image("RGB", side, side)
    pillow_heif.from_pillow(rgb).save(stream, exif=exif_block(1), quality=80)
    alpha = io.BytesIO()
    pillow_heif.from_pillow(image("RGBA", side, side)).save(alpha, quality=-1)
    return {"rgb": stream.getvalue(), "alpha": alpha.getvalue()}


def others() -> list[Sample]:
    """Pictures that are refused, whatever their suffix says."""
    made = {"ppm": saved(image("RGB"), "PPM"), "ico": saved(image("RGBA"), "ICO", sizes=[(16, 16)])}
    return [Sample(f"other/{name}", ".png", "bytes", data) for name, data in made.items()]
