"""Text in PNG: keywords and values, and the EXIF, XMP and profiles that programs keep in them."""

from __future__ import annotations

from dataclasses import dataclass

from img2img.photo.png.chunks import inflated

READABLE = 1_000_000  # bytes that a chunk may unpack to: of more, Pillow and all that builds on it refuse the file
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW = "Raw profile type "  # ImageMagick's, in hexadecimal digits


@dataclass(frozen=True)
class Text:
    """`value` None: damaged, too much, or packed in an unknown way."""

    keyword: str
    value: bytes | None

    @property
    def raw_kind(self) -> str:
        """Of a block in hexadecimal digits, "exif", "icc", "xmp" and others; "" for any other text."""
        return self.keyword.removeprefix(_RAW).lower() if self.keyword.startswith(_RAW) else ""

    def raw(self) -> bytes | None:
        """The block that stands there in digits, after its name and length."""
        try:
            return bytes.fromhex(b"".join((self.value or b"").split()[2:]).decode("ascii"))
        except ValueError:
            return None


def read_text(kind: bytes, data: bytes) -> Text:
    """Of a tEXt, zTXt or iTXt chunk; unpacked here, not before anybody asks for it."""
    keyword, _, rest = data.partition(b"\0")
    packed, value = kind == b"zTXt", rest
    known = kind != b"zTXt" or rest[:1] == b"\0"
    if kind == b"zTXt":
        value = rest[1:]
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        known = rest[2:].count(b"\0") >= 2 and not (packed and rest[1])
        value = rest[2:].split(b"\0", 2)[-1]
    if not known:
        return Text(keyword.decode("latin-1"), None)
    return Text(keyword.decode("latin-1"), inflated(value) if packed else value)


def readable(kind: bytes, data: bytes, text: Text) -> tuple[bytes, bytes]:
    """The chunk; where other programs would refuse what it unpacks to, without packing."""
    value = text.value or b""
    if kind == b"tEXt" or len(value) <= READABLE:
        return kind, data
    keyword, _, rest = data.partition(b"\0")
    if kind == b"zTXt":
        return b"tEXt", keyword + b"\0" + value
    language, translated, _ = rest[2:].split(b"\0", 2)
    return kind, keyword + b"\0\0\0" + b"\0".join((language, translated, value))


def xmp_chunk(xmp: bytes) -> tuple[bytes, bytes]:
    return b"iTXt", XMP_KEYWORD.encode() + b"\0\0\0\0\0" + xmp.decode("utf-8", "replace").encode()


def comment_chunk(comment: bytes) -> tuple[bytes, bytes]:
    return b"iTXt", b"Comment\0\0\0\0\0" + _utf8(comment.rstrip(b"\0")).replace(b"\0", b" ")


def _utf8(text: bytes) -> bytes:
    """A JPEG's or GIF's comment has no encoding that anybody agreed on."""
    try:
        return text.decode("utf-8").encode()
    except UnicodeDecodeError:
        return text.decode("latin-1").encode()
