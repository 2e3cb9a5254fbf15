"""What is done with each file: read and written, converted as a photo, as a film, out of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import cache, partial
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from tiny_model import tiny_model, write_tiny_model

from fuzz.second_decoder import compared
from fuzz.verdict import AGREED, Comparison, Verdict, refusal
from img2img import convert
from img2img.batch.outcome import Outcome
from img2img.errors import Img2ImgError
from img2img.photo import Photo, output_suffix, read_photo, read_xmp, write_photo
from img2img.video.kinds import are_films

MAX_PIXELS = 4_000_000
_WRITTEN = (".png", ".tiff", ".jpg", ".webp")
_LOSSLESS = (".png", ".tiff")
_MOST_PACKETS = 200


def photo(path: Path, folder: Path) -> Verdict | Comparison:
    """The photo, or an animation's first picture, read, written in each format, and read again."""
    read = read_photo(path, max_pixels=MAX_PIXELS, first_frame=True)
    read_xmp(path)
    for suffix in dict.fromkeys((output_suffix(path), *_WRITTEN)):
        result = folder / f"result{suffix}"
        write_photo(read, result)
        if fault := _fault_of_result(read, result):
            return fault
    return partial(compared, read, path.read_bytes())


def conversion(path: Path, folder: Path) -> Verdict:
    """Coloured by the tiniest model; an animation with all of its pictures."""
    target = folder / f"result{output_suffix(path)}"
    limit = {} if are_films([str(path)], first_frame=False) else {"max_pixels": MAX_PIXELS}
    verdict = _verdict_of(list(convert(path, target, model=_model(), jobs=1, **limit)), path, folder)
    left = sorted(each.name for each in folder.iterdir() if each != target)
    return Verdict("left over", ", ".join(left)) if left and not verdict.is_finding else verdict


def archive(path: Path, folder: Path) -> Verdict:
    """Each photo in it coloured."""
    options = {"max_pixels": MAX_PIXELS, "jobs": 1, "if_color": "redo"}
    return _verdict_of(list(convert(path, folder / "results", model=_model(), **options)), path, folder)


def film(path: Path, folder: Path) -> Verdict:
    """Coloured; as many pictures come out as a plain decoding of source and result finds."""
    target = folder / f"result{'.mkv' if path.suffix == '.avi' else path.suffix}"
    outcomes = list(convert(path, target, model=_model(), jobs=1))
    verdict = _verdict_of(outcomes, path, folder)
    if verdict.kind != AGREED:
        return verdict
    (source, damage), (result, fault) = _frames(path), _frames(target)
    if fault or not result:
        return Verdict("unreadable result", fault or "no frame can be decoded")
    if damage:
        return Verdict("differs", f"{result} frames, and not a word of: {damage}")
    return Verdict(AGREED) if source == result else Verdict("differs", f"{result} frames of {source}")


def sequence(path: Path, folder: Path) -> Verdict:
    """The picture as the second of three numbered ones, which become a film."""
    good = Photo(np.full((48, 64), 90, np.uint8), "L")
    (folder / "in").mkdir()
    for number in (1, 3):
        write_photo(good, folder / "in" / f"{number:03}{path.suffix}")
    second = folder / "in" / f"002{path.suffix}"
    second.write_bytes(path.read_bytes())
    target = folder / "result.mp4"
    outcomes = list(convert(folder / "in" / f"%03d{path.suffix}", target, model=_model(), jobs=1))
    verdict = _verdict_of(outcomes, second, folder)
    if verdict.kind != AGREED:
        return verdict
    count, _ = _frames(target)
    return verdict if count == 3 else Verdict("differs", f"{count} frames of 3")


@cache
def _model() -> Path:
    return write_tiny_model(Path(mkdtemp(prefix="fuzz-model-")) / "tiny.onnx", tiny_model(0.2, 0.4))


def _verdict_of(outcomes: list[Outcome], path: Path, folder: Path) -> Verdict:
    """AGREED where all were converted."""
    if not outcomes:
        return Verdict("unclear error", "nothing came of it")
    said = list(_findings(outcomes, path, folder))
    found = next((verdict for verdict in said if verdict.is_finding), None)
    return found or next((verdict for verdict in said), Verdict(AGREED))


def _findings(outcomes: list[Outcome], path: Path, folder: Path) -> Iterator[Verdict]:
    for outcome in outcomes:
        if outcome.error is not None:
            yield refusal(outcome.error, path, folder)
        elif outcome.status != "done" or outcome.target is None or not outcome.target.is_file():
            yield Verdict("unreadable result", f"{outcome.status}, and no file")
        elif outcome.target.suffix in (*_WRITTEN, ".bmp", ".jpeg", ".tif"):
            result = read_photo(outcome.target, first_frame=True)
            if (result.width, result.height) != (outcome.width, outcome.height):
                yield Verdict("result differs", f"{outcome.width} x {outcome.height} were to be {result.width} wide")


def _fault_of_result(read: Photo, path: Path) -> Verdict | None:
    try:
        again = read_photo(path)
    except Img2ImgError as error:
        return Verdict("unreadable result", str(error).replace(str(path.parent), ""))
    if (again.width, again.height) != (read.width, read.height):
        return Verdict(
            "result differs", f"{path.suffix}: {again.width} x {again.height} of {read.width} x {read.height}"
        )
    if path.suffix not in _LOSSLESS or read.space == "YCbCr":
        return None
    if again.pixels.dtype != read.pixels.dtype or not np.array_equal(again.pixels, read.pixels):
        return Verdict("result differs", f"{path.suffix}: other pixels")
    if (read.alpha is None) != (again.alpha is None) or not np.array_equal(read.alpha, again.alpha):  # type: ignore[arg-type]
        return Verdict("result differs", f"{path.suffix}: another alpha")
    # What a PNG's cICP says becomes a profile elsewhere.
    kept = read.icc is None or again.icc == read.icc
    return None if kept else Verdict("result differs", f"{path.suffix}: another profile")


def _frames(path: Path) -> tuple[int, str]:
    """How many FFmpeg decodes, and why no more where it stops at an error.

    Not at one before the first key frame: a recording may begin in the middle of things.
    """
    import av
    from av.error import FFmpegError

    count, begun = 0, False
    try:
        with av.open(str(path), metadata_errors="surrogateescape") as opened:
            for packet in islice(opened.demux(video=0), _MOST_PACKETS):
                begun |= packet.is_keyframe
                with nullcontext() if begun else suppress(FFmpegError):
                    count += len(packet.decode())
    except FFmpegError as error:
        return count, error.strerror or str(error)
    return count, ""
