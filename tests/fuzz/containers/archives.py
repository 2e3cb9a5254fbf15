"""Zip: members, the central directory's entries and its end. Tar: headers and contents."""

from __future__ import annotations

import zlib
from itertools import pairwise

from fuzz.parts import Part, number_at, number_bytes

_MEMBER, _ENTRY, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_HEAD_SIZES = {_MEMBER: 30, _ENTRY: 46, _END: 22}
_BLOCK = 512


def split_zip(data: bytes) -> Part:
    """Cut at each signature."""
    places = sorted({0, len(data), *(at for signature in _HEAD_SIZES for at in _all(data, signature))})
    root = Part("zip", mend=_mend_zip)
    for start, end in pairwise(places):
        signature = data[start : start + 4]
        head_end = min(start + _HEAD_SIZES.get(signature, 0), end)
        name = {_MEMBER: "member", _ENTRY: "entry", _END: "end"}.get(signature, "rest")
        root.parts.append(Part(name, head=data[start:head_end], body=data[head_end:end]))
    return root


def _all(data: bytes, signature: bytes) -> list[int]:
    places, at = [], data.find(signature)
    while at >= 0:
        places.append(at)
        at = data.find(signature, at + 1)
    return places


def _mend_zip(root: Part) -> None:
    """Checksums of stored members, where entries say that members are, and what the end says of the directory."""
    members, entries, at = [], [], 0
    directory_at = None
    for part in root.parts:
        if part.name == "member" and len(part.head) == 30:
            _mend_member(part)
            members.append((at, part))
        elif part.name == "entry" and len(part.head) == 46:
            directory_at = at if directory_at is None else directory_at
            entries.append(part)
        at += len(bytes(part))
    for entry, (member_at, member) in zip(entries, members, strict=False):
        sums = member.head[14:26]
        entry.head = entry.head[:16] + sums + entry.head[28:42] + number_bytes(member_at, 4, "<")
    size = sum(len(bytes(part)) for part in entries)
    for part in root.parts:
        if part.name == "end" and len(part.head) == 22:
            count = number_bytes(len(entries), 2, "<")
            place = number_bytes(size, 4, "<") + number_bytes(directory_at or 0, 4, "<")
            part.head = part.head[:8] + count * 2 + place + part.head[20:]


def _mend_member(member: Part) -> None:
    name_and_extra = number_at(member.head, 26, 2, "<") + number_at(member.head, 28, 2, "<")
    content = member.body[name_and_extra:]
    if number_at(member.head, 8, 2, "<") == 0:  # stored as it is
        sums = (zlib.crc32(content), len(content), len(content))
        member.head = member.head[:14] + b"".join(number_bytes(each, 4, "<") for each in sums) + member.head[26:]


def split_tar(data: bytes) -> Part:
    root, at = Part("tar"), 0
    while at + _BLOCK <= len(data) and any(data[at : at + _BLOCK]):
        start = at + _BLOCK
        end = min(start + _octal(data[at + 124 : at + 136]), len(data))
        after = min(start + -(-(end - start) // _BLOCK) * _BLOCK, len(data))
        root.parts.append(Part("member", data[at:start], data[start:end], tail=data[end:after], mend=_mend_header))
        at = after
    root.tail = data[at:]
    return root


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and all(48 <= digit < 56 for digit in digits) else 0


def _mend_header(member: Part) -> None:
    """The checksum, and full blocks; not the size, which mutations are to change."""
    head = member.head
    if len(head) == _BLOCK:
        total = sum(head[:148]) + 8 * 32 + sum(head[156:])
        member.head = head[:148] + f"{total:06o}\0 ".encode() + head[156:]
    member.tail = bytes(-len(member.content) % _BLOCK)
