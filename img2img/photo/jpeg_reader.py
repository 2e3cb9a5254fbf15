"""JPEG files: what libjpeg decodes, whole; what it does not is refused by name."""

from __future__ import annotations

import io
from typing import BinaryIO

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import check_size
from img2img.photo.jpeg.file import QuietJpegFile
from img2img.photo.jpeg.frame import check_kind, jpeg_frame_of, refusal_of
from img2img.photo.jpeg.whole import check_last_block, with_end
from img2img.photo.photo import Photo


def read_jpeg(stream: BinaryIO, max_pixels: int) -> Photo:
    data = stream.read()
    frame = jpeg_frame_of(data)
    if frame is None:
        raise ValueError("no frame header")
    check_size(frame.size, max_pixels)
    check_kind(frame)
    data = with_end(data, frame)
    with QuietJpegFile(io.BytesIO(data), "") as image:
        try:
            photo = Photo.from_image(image)
        except OSError as error:
            refusal = refusal_of(frame) if "broken data stream" in str(error) else None
            if refusal is None:
                raise
            raise UnreadablePhoto(refusal) from error
        check_last_block(image, data, frame)
    return photo
