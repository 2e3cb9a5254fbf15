"""Where the properties of an XMP packet lie, byte by byte, so that it can be patched (XMP part 1, 7: its RDF).

Only the first two levels are looked at: the nodes of rdf:RDF, and their properties, as elements or as attributes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from img2img.photo.metadata.provenance import RDF

QualifiedName = tuple[str, str]
"""Namespace and local name."""
_SEPARATOR = "\f"  # what no namespace can contain
_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_DAMAGED = "damaged XMP"
_ABOUT = ((RDF, "about"), ("", "about"))
_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass
class Element:
    """From `start` to `end`; `tag_end` is behind its start tag, `close` where its end tag begins, where it has one."""

    name: QualifiedName
    start: int
    tag_end: int
    close: int = 0
    end: int = 0

    @property
    def is_one_tag(self) -> bool:
        """Whether it is <empty/>."""
        return self.tag_end == self.end


@dataclass
class XmpProperty(Element):
    """Of a node; from the space before it where it is an attribute. `fields`: of a structure, by their local names."""

    text: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class RdfNode(Element):
    """An rdf:Description, or what stands for one."""

    about: str | None = None
    properties: list[XmpProperty] = field(default_factory=list)


@dataclass
class XmpPacket:
    """`data`: the packet as UTF-8, `encoding` what it is stored as. `root` None: it holds nothing at all.

    `padding`: where spaces lie that are there for programs that patch it.
    """

    data: bytes
    encoding: str
    root: Element | None = None
    rdf: Element | None = None
    nodes: list[RdfNode] = field(default_factory=list)
    padding: tuple[int, int] = (0, 0)

    @property
    def properties(self) -> list[XmpProperty]:
        return [each for node in self.nodes for each in node.properties]


def read_xmp_packet(xmp: bytes) -> XmpPacket:
    """Raises ValueError for one that is damaged, or has a document type: XMP has none."""
    encoding = _UTF_16.get(xmp[:2], "utf-8")
    try:
        data = xmp if encoding == "utf-8" else xmp.decode(encoding).encode()
    except UnicodeError as error:
        raise ValueError(_DAMAGED) from error
    if b"\0" in data.rstrip(b"\0"):  # which expat would take for UTF-16
        raise ValueError(_DAMAGED)
    packet = XmpPacket(data, encoding)
    _Reading(packet).read()
    return packet


class _Reading:
    """One pass over a packet by expat, which tells the place of each tag."""

    def __init__(self, packet: XmpPacket) -> None:
        self.packet = packet
        self.open: list[Element] = []
        self.within: XmpProperty | None = None
        self.said: list[str] = []  # characters since the last tag

    def read(self) -> None:
        from xml.parsers import expat

        parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.namespace_prefixes = True
        parser.StartElementHandler = lambda name, attributes: self._start(parser.CurrentByteIndex, name, attributes)
        parser.EndElementHandler = lambda _: self._end(parser.CurrentByteIndex)
        parser.CharacterDataHandler = self.said.append
        parser.StartDoctypeDeclHandler = _refuse
        parser.ProcessingInstructionHandler = lambda target, _: self._instruction(target, parser.CurrentByteIndex)
        try:
            parser.Parse(self.packet.data.rstrip(b"\0"), True)
        except expat.ExpatError as error:
            is_empty = error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
            if self.packet.root is not None or not is_empty:
                raise ValueError(_DAMAGED) from error

    def _start(self, at: int, name: str, attributes: Mapping[str, str]) -> None:
        tag = _TAG.match(self.packet.data, at)
        if tag is None:
            raise ValueError(_DAMAGED)
        element = self._element(_name(name), at, tag.end())
        self.packet.root = self.packet.root or element
        if isinstance(element, RdfNode):
            _take_attributes(element, tag[0], attributes)
        elif self.within:
            values = {_name(each): value for each, value in attributes.items()}
            told = {local: value for (space, local), value in values.items() if space not in (RDF, _XML)}
            self.within.fields.update(told)
            self.within.text = self.within.text or values.get((RDF, "resource"), "")
        self.open.append(element)
        self.said.clear()

    def _element(self, name: QualifiedName, at: int, tag_end: int) -> Element:
        above = self.open[-1] if self.open else None
        if isinstance(above, RdfNode):
            self.within = XmpProperty(name, at, tag_end)
            above.properties.append(self.within)
            return self.within
        if above is not None and above is self.packet.rdf:
            self.packet.nodes.append(RdfNode(name, at, tag_end))
            return self.packet.nodes[-1]
        element = Element(name, at, tag_end)
        if name == (RDF, "RDF") and self.packet.rdf is None:
            self.packet.rdf = element
        return element

    def _end(self, at: int) -> None:
        element = self.open.pop()
        is_one_tag = self.packet.data[element.tag_end - 2 : element.tag_end] == b"/>"
        element.close = element.tag_end if is_one_tag else at
        element.end = element.tag_end if is_one_tag else self.packet.data.index(b">", at) + 1
        self._take_text(element, "".join(self.said).strip())
        self.said.clear()

    def _take_text(self, element: Element, said: str) -> None:
        if self.within and said and (self.within is element or element.name[0] == RDF):
            self.within.text = self.within.text or said
        elif self.within and said:
            self.within.fields[element.name[1]] = said
        if self.within is element:
            self.within = None

    def _instruction(self, target: str, at: int) -> None:
        root = self.packet.root
        if target == "xpacket" and root is not None and not self.open:
            between = self.packet.data[root.end : at]
            self.packet.padding = (root.end, at) if not between.strip() else (at, at)


def _take_attributes(node: RdfNode, tag: bytes, attributes: Mapping[str, str]) -> None:
    """As properties of the node, but for those that are the syntax's."""
    places = {found[1].decode(): found.span() for found in _ATTRIBUTE.finditer(tag)}
    for full, value in attributes.items():
        name, prefix = _name(full), full.split(_SEPARATOR)[2:]
        if name in _ABOUT:
            node.about = value
        elif name[0] not in (RDF, _XML, ""):
            start, end = (node.start + place for place in places[f"{prefix[0]}:{name[1]}"])
            node.properties.append(XmpProperty(name, start, end, end, end, value))


def _name(full: str) -> QualifiedName:
    """Of a namespace, a local name and a prefix, or of a name without."""
    space, *local = full.split(_SEPARATOR)
    return (space, local[0]) if local else ("", space)


def _refuse(*_: object) -> None:
    raise ValueError("XMP with a document type")
