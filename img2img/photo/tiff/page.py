"""One directory of a TIFF file as the description of a picture: its tags as numbers (TIFF 6.0, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

from img2img.errors import UnreadablePhoto
from img2img.photo.metadata.exif import ORIENTATION
from img2img.photo.metadata.tiff_directory import Directory, Header

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
FILL_ORDER, SAMPLES, ROWS_PER_STRIP, PLANAR, PREDICTOR, COLOR_MAP = 266, 277, 278, 284, 317, 320
STRIP_OFFSETS, STRIP_SIZES, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES = 273, 279, 322, 323, 324, 325
SUB_DIRECTORIES, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES = 330, 332, 338, 339, 347

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, MASK, CMYK, YCBCR, CIE_LAB, ICC_LAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
NO_COMPRESSION, CCITT_RLE, CCITT_G3, CCITT_G4, LZW, OLD_JPEG, JPEG, DEFLATE = 1, 2, 3, 4, 5, 6, 7, 8
PACK_BITS, THUNDER_SCAN, OLD_DEFLATE, LZMA, ZSTD, WEBP = 32773, 32809, 32946, 34925, 50000, 50001
FAX = (CCITT_RLE, CCITT_G3, CCITT_G4)

_COLORS = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, CIE_LAB: 3, ICC_LAB: 3}
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_OLD_REDUCED = 2


@dataclass(frozen=True)
class Page:
    """A directory with the byte order that its entries are in."""

    header: Header
    directory: Directory

    def numbers(self, tag: int, *default: int) -> tuple[float, ...]:
        entry = self.directory.entries.get(tag)
        return entry.numbers(self.header.order) if entry is not None else default

    def whole_numbers(self, tag: int) -> tuple[int, ...]:
        return tuple(int(number) for number in self.numbers(tag))

    def number(self, tag: int, default: int) -> int:
        """A whole number, or the default."""
        entry = self.directory.entries.get(tag)
        number = entry.whole(self.header.order) if entry is not None else None
        return default if number is None else number

    def bytes(self, tag: int) -> bytes | None:
        entry = self.directory.entries.get(tag)
        return entry.data if entry is not None else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, before it is turned upright."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @property
    def area(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def side(self) -> int:
        side = self.number(ORIENTATION, 1)
        return side if 1 <= side <= 8 else 1

    @property
    def is_reduced(self) -> bool:
        """Whether it calls itself a smaller copy of another page: a thumbnail, or a level of a pyramid."""
        if SUBFILE in self.directory.entries:
            return bool(self.number(SUBFILE, 0) & _REDUCED)
        return self.number(OLD_SUBFILE, 1) == _OLD_REDUCED

    @property
    def is_mask(self) -> bool:
        return bool(self.number(SUBFILE, 0) & _MASK) or self.number(PHOTOMETRIC, MIN_IS_BLACK) == MASK

    @property
    def codec(self) -> int:
        return self.number(COMPRESSION, NO_COMPRESSION)

    @property
    def bits(self) -> int:
        """Of each sample; UnreadablePhoto where they differ."""
        bits = {int(number) for number in self.numbers(BITS, 1)[: self.samples]}
        if len(bits) != 1:
            raise UnreadablePhoto(
                f"{', '.join(map(str, sorted(bits)))} bits in one pixel's samples; save it with 8 or 16"
            )
        return bits.pop()

    @property
    def samples(self) -> int:
        return self.number(SAMPLES, 3 if self.codec == OLD_JPEG else 1)

    @property
    def is_planar(self) -> bool:
        """Whether each sample has strips of its own."""
        return self.number(PLANAR, 1) == 2 and self.samples > 1

    @property
    def photometric(self) -> int:
        """Where the tag is missing, what libtiff takes: black is 0, but white in a fax; RGB from three samples on."""
        if PHOTOMETRIC in self.directory.entries:
            return self.number(PHOTOMETRIC, MIN_IS_BLACK)
        colors = self.samples - len(self.numbers(EXTRA_SAMPLES))
        if colors == 1:
            return MIN_IS_WHITE if self.codec in FAX else MIN_IS_BLACK
        if colors == 3 and self.codec != JPEG:
            return YCBCR if self.codec == OLD_JPEG else RGB
        raise UnreadablePhoto("it does not say what its colours are (no PhotometricInterpretation); save it as RGB")

    @property
    def colors(self) -> int:
        """How many of the samples are the colour; the others are alpha and further channels."""
        kind = self.photometric
        return 1 if kind == YCBCR and self.samples == 1 else _COLORS.get(kind, self.samples)

    @property
    def extra_kind(self) -> int | None:
        """What the first sample behind the colour says it is (0: nothing, 1 or 2: alpha); None where there is none.

        Without the tag it is alpha, not premultiplied, as other readers have it.
        """
        if self.samples <= self.colors:
            return None
        kind = self.number(EXTRA_SAMPLES, 2)
        return kind if kind in (0, 1) else 2
