"""ICC profiles made of primaries and a tone curve (ICC.1:2010, 8.3.3 and 8.4.3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Chromaticities = Sequence[tuple[float, float]]
"""x and y of white, red, green and blue."""
SRGB: Chromaticities = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
Matrix = NDArray[np.float64]


def matrix_profile(chromaticities: Chromaticities, curve: Sequence[float], *, grey: bool = False) -> bytes:
    """A version 4 profile; ValueError for chromaticities that span no colours.

    `curve`: g of Y = X^g, or g, a, b, c, d of Y = (aX + b)^g where X >= d, else cX (10.18).
    """
    white, *primaries = [_xyz(*each) for each in chromaticities]
    adaptation = _adaptation(white)
    tags = {b"desc": _text("made of a PNG's primaries and tone curve"), b"cprt": _text("No copyright")}
    tags |= {b"wtpt": _xyz_type(_D50), b"chad": b"sf32" + bytes(4) + _fixed(adaptation.ravel())}
    if grey:
        tags[b"kTRC"] = _parametric(curve)
    else:
        columns = np.stack(primaries, axis=1)
        columns = adaptation @ (columns * _solved(columns, white))
        tags |= {
            b"rXYZ": _xyz_type(columns[:, 0]),
            b"gXYZ": _xyz_type(columns[:, 1]),
            b"bXYZ": _xyz_type(columns[:, 2]),
        }
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _parametric(curve))
    return _packed(tags, b"GRAY" if grey else b"RGB ")


def _xyz(x: float, y: float) -> Matrix:
    """Of luminance 1."""
    if y <= 0:
        raise ValueError("a chromaticity without luminance")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _solved(columns: Matrix, white: Matrix) -> Matrix:
    if abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError("primaries that span no colours")
    return np.asarray(np.linalg.solve(columns, white), np.float64)


def _adaptation(white: Matrix) -> Matrix:
    """From that white to D50 (Bradford, ICC.1 annex E)."""
    scales = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ scales @ _BRADFORD, np.float64)


def _fixed(numbers: Sequence[float] | Matrix) -> bytes:
    return b"".join(struct.pack(">l", round(float(number) * 65536)) for number in numbers)


def _xyz_type(values: Matrix) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _text(words: str) -> bytes:
    """In one language (10.15)."""
    encoded = words.encode("utf-16-be")
    return b"mluc" + struct.pack(">3L4s2L", 0, 1, 12, b"enUS", len(encoded), 28) + encoded


def _parametric(curve: Sequence[float]) -> bytes:
    return b"para" + struct.pack(">LHH", 0, {1: 0, 5: 3}[len(curve)], 0) + _fixed(curve)


def _packed(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """Header, table and data; equal data stand there once."""
    at, table, body, places = 132 + 12 * len(tags), b"", b"", dict[bytes, int]()
    for signature, data in tags.items():
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += signature + struct.pack(">2L", places[data], len(data))
    size = at + len(body)
    header = struct.pack(">L4sL4s4s4s", size, b"", 0x04300000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50) + bytes(48)
    return header + struct.pack(">L", len(tags)) + table + body
