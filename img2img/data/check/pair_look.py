"""What one look at a pair tells: what each side is, whether the two fit, and whether one is shifted."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from img2img.data.check.look import Content, ImageLook, content_of, made_of
from img2img.data.check.pair_listing import ListedPair
from img2img.data.check.shift import shift_between
from img2img.data.decoding import DecodedImage
from img2img.data.pairs.matching import halves, misfit
from img2img.errors import DataError

_Side = tuple[Content, NDArray[np.uint8]]


@dataclass(frozen=True)
class PairLook:
    """What came of a pair; of one file that holds both, `b` has no bytes of its own.

    `misfit` says why training would refuse the pair, `sizes` what two sizes its sides have, and `shift` how far b is
    shifted; each is empty where there is nothing to say.
    """

    a: ImageLook
    b: ImageLook
    misfit: str = ""
    sizes: str = ""
    shift: str = ""


def look_at_pairs(pairs: Iterable[ListedPair], jobs: int) -> Iterator[PairLook]:
    """Looks at every pair, in order, `jobs` at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(look_at_pair, pairs)


def look_at_pair(pair: ListedPair) -> PairLook:
    """Decodes both sides as training does; never raises for a damaged file."""
    if pair.side_by_side:
        return _one_file(pair)
    (bytes_a, a, error_a), (bytes_b, b, error_b) = made_of(pair.a, _seen), made_of(pair.b, _seen)
    looks = (
        ImageLook(pair.a, bytes_a, a[0] if a else None, error_a),
        ImageLook(pair.b, bytes_b, b[0] if b else None, error_b),
    )
    return _compared(PairLook(*looks), a, b) if a and b else PairLook(*looks)


def _one_file(pair: ListedPair) -> PairLook:
    size, decoded, error = made_of(pair.a, lambda decoded: decoded)
    nothing = PairLook(ImageLook(pair.a, size, None, error), ImageLook(pair.b, 0, None, error))
    if decoded is None:
        return nothing
    try:
        left, right = (_seen(replace(decoded, rgb=half)) for half in halves(decoded.rgb))
    except DataError as error:
        return replace(nothing, misfit=str(error))
    looks = ImageLook(pair.a, size, left[0]), ImageLook(pair.b, 0, right[0])
    return _compared(PairLook(*looks), left, right)


def _seen(decoded: DecodedImage) -> _Side:
    return content_of(decoded), decoded.rgb


def _compared(look: PairLook, a: _Side, b: _Side) -> PairLook:
    size_a, size_b = a[0].size, b[0].size
    if apart := misfit(size_a, size_b):
        return replace(look, misfit=apart)
    two = "" if size_a == size_b else "{} x {} and {} x {}".format(*size_a, *size_b)
    shift = shift_between(a[1], b[1])
    return replace(look, sizes=two, shift=_as_words(*shift) if shift else "")


def _as_words(right: int, down: int) -> str:
    parts = [
        f"{abs(way)} px {words[way < 0]}" for way, words in ((right, ("right", "left")), (down, ("down", "up"))) if way
    ]
    return f"what is in a lies {' and '.join(parts)} in b"
