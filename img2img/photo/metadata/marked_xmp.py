"""An XMP packet that says how its picture was made: patched where it lies, all else of it as it was."""

from __future__ import annotations

from collections.abc import Iterator

from img2img.photo.metadata.provenance import IPTC, META, OURS, RDF, SYSTEM, Provenance, in_rdf
from img2img.photo.metadata.xmp_packet import Element, RdfNode, XmpPacket, XmpProperty, read_xmp_packet

_SOURCE_TYPE, _SYSTEM, _VERSION = (
    (IPTC, name) for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
)
Edit = tuple[int, int, str]
"""What stands from here to there gives way to this."""


def marked_xmp(xmp: bytes | None, provenance: Provenance) -> bytes:
    """The packet with this said, and nothing else of the kind; a new one where there is none, or nothing in it.

    Another program's name for the system that it used stays. ValueError where the packet cannot be patched.
    """
    packet = read_xmp_packet(xmp) if xmp else None
    if packet is None or packet.root is None:
        return provenance.packet
    with_system = not _names_another_system(packet)
    about = next((node.about for node in packet.nodes if node.about), "")
    description = provenance.description(about, with_system=with_system)
    if packet.rdf is not None:
        added = _within(packet, packet.rdf, f" {description}")
    elif packet.root.name == (META, "xmpmeta"):
        added = _within(packet, packet.root, in_rdf(description))
    else:
        raise ValueError("XMP without RDF")
    return _edited(packet, [*_without_stale(packet, with_system=with_system), added])


def provenance_in(xmp: bytes | None) -> Provenance | None:
    """What a packet says of how its picture was made; None where it says nothing. ValueError for a damaged one."""
    packet = read_xmp_packet(xmp) if xmp else None
    if packet is None:
        return None
    said = {each.name: each for each in reversed(packet.properties)}

    def text(space: str, name: str) -> str:
        return said[space, name].text if (space, name) in said else ""

    found = Provenance(
        text(*_SOURCE_TYPE),
        text(OURS, "Model"),
        text(OURS, "ModelSha256"),
        said[OURS, "Options"].fields if (OURS, "Options") in said else {},
        text(OURS, "Version") or text(*_VERSION),
        text(*_SYSTEM),
    )
    return None if found == Provenance("") else found


def _names_another_system(packet: XmpPacket) -> bool:
    return any(each.name == _SYSTEM and each.text.split(" ")[0] != SYSTEM for each in packet.properties)


def _without_stale(packet: XmpPacket, *, with_system: bool) -> Iterator[Edit]:
    """A node goes whole where nothing else is in it. The space before an element goes with it."""

    def is_stale(each: XmpProperty) -> bool:
        mine = each.name == _SOURCE_TYPE or each.name[0] == OURS
        return mine or (with_system and each.name in (_SYSTEM, _VERSION))

    for node in packet.nodes:
        stale: list[Element] = [each for each in node.properties if is_stale(each)]
        if stale and len(stale) == len(node.properties) and _holds_properties_only(packet, node):
            stale = [node]
        yield from ((_behind_text(packet, each.start), each.end, "") for each in stale)


def _holds_properties_only(packet: XmpPacket, node: RdfNode) -> bool:
    return node.name == (RDF, "Description") and b"<!--" not in packet.data[node.start : node.end]


def _behind_text(packet: XmpPacket, at: int) -> int:
    while at and packet.data[at - 1 : at].isspace():
        at -= 1
    return at


def _within(packet: XmpPacket, element: Element, text: str) -> Edit:
    """The text as the last that stands in the element."""
    if not element.is_one_tag:
        at = _behind_text(packet, element.close)
        return at, at, f"\n{text}"
    name = packet.data[element.start + 1 : element.end].split()[0].rstrip(b"/>").decode()
    return element.end - 2, element.end, f">\n{text}\n</{name}>"


def _edited(packet: XmpPacket, edits: list[Edit]) -> bytes:
    """What it grows by is taken from the padding, where that is enough: it is there for this."""
    growth = sum(len(text.encode()) - (end - start) for start, end, text in edits)
    start, end = packet.padding
    if 0 < growth < end - start:
        edits = [*edits, (end - 1 - growth, end - 1, "")]
    parts, at = [], 0
    for start, end, text in sorted(edits):
        parts += [packet.data[at:start], text.encode()]
        at = end
    data = b"".join([*parts, packet.data[at:]])
    return data if packet.encoding == "utf-8" else data.decode().encode(packet.encoding)
