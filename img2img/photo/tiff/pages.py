"""Which of a TIFF's directories is the photo: not a thumbnail, not a level of a pyramid, not a mask."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from img2img.errors import UnreadablePhoto
from img2img.photo.metadata.exif import ORIENTATION, STRUCTURAL_TAGS
from img2img.photo.metadata.tiff_directory import Directory, Header, read_directory
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page

_MOST_PAGES = 256  # looked at: enough to know that there are several
_XMP, _EMBEDDED_JPEG = 700, 513
_OF_THE_FILE = STRUCTURAL_TAGS - {ORIENTATION, _XMP}


@dataclass(frozen=True)
class Node:
    """A page of the file's chain, and those that it points to."""

    page: Page
    below: tuple[Page, ...]


def read_pages(stream: BinaryIO, header: Header) -> list[Node]:
    """ValueError where the first directory is damaged; the chain ends before a further one that is."""
    nodes: list[Node] = []
    room = 2 * stream.seek(0, 2)
    seen = set[int]()
    at = header.first
    while at and at not in seen and len(nodes) < _MOST_PAGES:
        seen.add(at)
        try:
            page = Page(header, read_directory(stream, header, at))
        except (ValueError, struct.error):
            if not nodes:
                raise
            break
        nodes.append(Node(page, tuple(_below(stream, page, seen))))
        room -= sum(len(entry.data) for each in all_pages(nodes[-1:]) for entry in each.directory.entries.values())
        if room < 0:
            raise ValueError("directories that share their values, and so are larger than the file")
        at = page.directory.next
    return nodes


def _below(stream: BinaryIO, page: Page, seen: set[int]) -> Iterator[Page]:
    for at in page.whole_numbers(tags.SUB_DIRECTORIES)[:_MOST_PAGES]:
        if at in seen:
            continue
        seen.add(at)
        try:
            below = Page(page.header, read_directory(stream, page.header, at))
        except (ValueError, struct.error):
            continue
        yield below
        yield from _below(stream, below, seen)


def all_pages(nodes: Iterable[Node]) -> Iterator[Page]:
    for node in nodes:
        yield node.page
        yield from node.below


def photo_page(nodes: list[Node], first_frame: bool) -> Page:
    """The (first) full-size page, with what the file's first directory says of the photo besides."""
    first, pictures = nodes[0].page, pictures_of(nodes)
    if len(pictures) > 1 and not first_frame:
        raise UnreadablePhoto("several pages; --first-frame takes the first, or split the file")
    candidates = [page for node in pictures[:1] or nodes for page in (node.page, *node.below)]
    whole = [page for page in candidates if not page.is_reduced and not page.is_mask]
    whole = whole or [page for page in candidates if not page.is_mask] or candidates
    return _described(max(whole, key=lambda page: page.area), first)


def pictures_of(nodes: list[Node]) -> list[Node]:
    """Without thumbnails and masks."""
    return [node for node in nodes if _is_picture(node.page, nodes[0].page)]


def has_mask(nodes: Iterable[Node]) -> bool:
    return any(page.is_mask for page in all_pages(nodes))


def _is_picture(page: Page, first: Page) -> bool:
    is_exif_thumbnail = page is not first and _EMBEDDED_JPEG in page.directory.entries and page.area < first.area
    return not (page.is_reduced or page.is_mask or is_exif_thumbnail)


def _described(page: Page, first: Page) -> Page:
    if page is first:
        return page
    said = {tag: entry for tag, entry in first.directory.entries.items() if tag not in _OF_THE_FILE}
    directory = page.directory
    return Page(page.header, Directory(said | directory.entries, directory.next, directory.next_at))
