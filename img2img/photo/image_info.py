"""What an opened Pillow image says of its picture, made true for upright pixels; and what of its file is not kept."""

from __future__ import annotations

from typing import Any, TypedDict

from PIL import Image

from img2img.photo.metadata.exif import orientation, resolution, with_prefix
from img2img.photo.metadata.upright import upright_exif
from img2img.photo.metadata.xmp import claims_of, upright_xmp

ASPECT = "aspect of its pixels"


class Metadata(TypedDict):
    """What of a Photo's fields is the same for any depth."""

    exif: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None


def side_of(image: Image.Image) -> int:
    """The EXIF orientation of an image's pixels, 1 to 8."""
    return orientation(_exif(image), xmp_of(image))


def metadata(image: Image.Image, side: int, size: tuple[int, int]) -> Metadata:
    """The image's EXIF, XMP and DPI, made true for pixels of that size turned upright from that side."""
    exif = _exif(image)
    return {
        "exif": upright_exif(exif, side, size),
        "xmp": upright_xmp(xmp_of(image), side),
        "dpi": turned_dpi(_dpi(image, exif), side),
    }


def turned_dpi(dpi: tuple[float, float] | None, side: int) -> tuple[float, float] | None:
    return (dpi[1], dpi[0]) if dpi is not None and side >= 5 else dpi


def valid_dpi(dpi: Any) -> tuple[float, float] | None:
    """Two positive, sane numbers, or None: files say 0, 1 and worse where nobody knew."""
    try:
        across, down = (float(number) for number in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not (1 < across <= 65535 and 1 < down <= 65535):
        return None
    # PNG counts in dots per metre: 150 dpi come back as 150.0124.
    return _tidy(across), _tidy(down)


def _tidy(number: float) -> float:
    return float(round(number)) if abs(number - round(number)) < 0.02 else number


def lost_of(image: Image.Image) -> tuple[str, ...]:
    """What is in the file beside the picture, and not kept."""
    if image.format in ("JPEG", "MPO"):
        from PIL.JpegImagePlugin import JpegImageFile

        from img2img.photo.jpeg.file import beside_picture

        beside_jpeg = tuple(beside_picture(image)) if isinstance(image, JpegImageFile) else ()
        return (*beside_jpeg, *([ASPECT] if _is_stretched(image) else ()))
    if image.format != "HEIF":
        return ()
    beside = {"further pictures": getattr(image, "n_frames", 1) > 1, "depth map": image.info.get("depth_images")}
    beside["motion film"] = "motion film" in claims_of(xmp_of(image))
    kinds = list(image.info.get("aux") or ())
    beside["gain map"] = any("hdrgainmap" in kind for kind in kinds)
    beside["auxiliary pictures"] = any("hdrgainmap" not in kind for kind in kinds)
    bits = image.info.get("bit_depth") or 8
    beside[f"{bits - 8} of its {bits} bits"] = bits > 8
    return tuple(name for name, there in beside.items() if there)


def _is_stretched(image: Image.Image) -> bool:
    """Whether a JPEG's pixels are no squares: densities without a unit are their aspect (JFIF 1.02)."""
    across, down = image.info.get("jfif_density", (1, 1))
    return image.info.get("jfif_unit") == 0 and 0 != across != down != 0


def _exif(image: Image.Image) -> bytes | None:
    """The block, also where ImageMagick wrote it as text in hexadecimal digits."""
    text = image.info.get("Raw profile type exif")
    if "exif" not in image.info and isinstance(text, str):
        try:
            return with_prefix(bytes.fromhex("".join(text.split()[2:])))
        except ValueError:
            return None
    return with_prefix(image.info.get("exif"))


def xmp_of(image: Image.Image) -> bytes | None:
    """The packet that Pillow found, as it stands in the file."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return xmp.encode() if isinstance(xmp, str) else xmp or None


def _dpi(image: Image.Image, exif: bytes | None) -> tuple[float, float] | None:
    """A JPEG's from its JFIF header, else from EXIF: where neither says, Pillow says 72."""
    if image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2):
        return valid_dpi(resolution(exif))
    return valid_dpi(image.info.get("dpi"))
