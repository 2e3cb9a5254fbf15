"""RIFF (WebP, AVI) and ISO boxes (MP4, MOV, HEIC): a length, a name, and some of them hold further ones."""

from __future__ import annotations

from fuzz.parts import Part, number_at, number_bytes

# What stands before the first inner chunk or box, in bytes.
_RIFF_HEADS = {b"RIFF": 4, b"LIST": 4, b"ANMF": 16}
_ISO_HEADS = {
    **dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"mvex"), 0),
    **dict.fromkeys((b"moof", b"traf", b"iprp", b"ipco"), 0),
    **{b"meta": 4, b"stsd": 8, b"dref": 8, b"iinf": 6, b"avc1": 78, b"mp4v": 78, b"hvc1": 78},
}
_DEEPEST = 12


def split_riff(data: bytes) -> Part:
    return Part("riff file", parts=_chunks(data, 0))


def _chunks(data: bytes, depth: int) -> list[Part]:
    parts, at = [], 0
    while at + 8 <= len(data) and depth < _DEEPEST:
        kind, size = data[at : at + 4], number_at(data, at + 4, 4, "<")
        end = min(at + 8 + size, len(data))
        inner = at + 8 + _RIFF_HEADS.get(kind, 0)
        chunk = Part(kind.decode("latin-1"), tail=data[end : end + size % 2], mend=_mend_chunk)
        if kind in _RIFF_HEADS and inner <= end:
            chunk.head, chunk.parts = data[at:inner], _chunks(data[inner:end], depth + 1)
        else:
            chunk.head, chunk.body = data[at : at + 8], data[at + 8 : end]
        parts.append(chunk)
        at += len(bytes(chunk))
    return parts if at == len(data) else [*parts, Part("rest", body=data[at:])]


def _mend_chunk(chunk: Part) -> None:
    size = len(chunk.head) - 8 + len(chunk.content)
    chunk.head = chunk.head[:4] + number_bytes(size, 4, "<") + chunk.head[8:]
    chunk.tail = bytes(size % 2)


def split_iso(data: bytes) -> Part:
    return Part("iso file", parts=_boxes(data, 0))


def _boxes(data: bytes, depth: int) -> list[Part]:
    parts, at = [], 0
    while at + 8 <= len(data) and depth < _DEEPEST:
        head, size, kind = 8, number_at(data, at, 4), data[at + 4 : at + 8]
        if size == 1:
            head, size = 16, number_at(data, at + 8, 8)
        end = len(data) if size == 0 else min(at + max(size, head), len(data))
        inner = at + head + _ISO_HEADS.get(kind, 0)
        box = Part(kind.decode("latin-1"), mend=_mend_box)
        if kind in _ISO_HEADS and inner <= end:
            box.head, box.parts = data[at:inner], _boxes(data[inner:end], depth + 1)
        else:
            box.head, box.body = data[at : at + head], data[at + head : end]
        parts.append(box)
        at += len(bytes(box))
    return parts if at == len(data) else [*parts, Part("rest", body=data[at:])]


def _mend_box(box: Part) -> None:
    size = len(box.head) + len(box.content)
    if number_at(box.head, 0, 4) == 1:
        box.head = box.head[:8] + number_bytes(size, 8) + box.head[16:]
    else:
        box.head = number_bytes(size, 4) + box.head[4:]
