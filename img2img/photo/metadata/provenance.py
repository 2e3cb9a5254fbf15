"""How a picture was made, as XMP says it: IPTC's term for the kind, the model, and the options that shaped the picture.

IPTC Photo Metadata Standard 2025.1 (Iptc4xmpExt: DigitalSourceType, AISystemUsed, AISystemVersionUsed). No registered
terms exist for a model's checksum and options: they stand in a namespace of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from img2img.version import __version__

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OURS = "urn:uuid:75ffd76c-306f-43b1-853d-dbbb78cb71c0#"
"""A random UUID: a name that nobody else can have. An http address or a tag: would be of a host, and we have none."""

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
GENERATED = SOURCE_TYPES + "trainedAlgorithmicMedia"
SYSTEM = "img2img"
DAMAGED = "damaged"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPELLED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_OPTION = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


@dataclass(frozen=True)
class Provenance:
    """What a picture says, or is to say, of how it was made; "" for what it does not say.

    source_type: a URI of IPTC's digital source types. model: its card's name. sha256: of its weights. options: those
    that shaped the picture. version: img2img's, or that of `system`, which names what made a picture elsewhere.
    """

    source_type: str
    model: str = ""
    sha256: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    system: str = ""

    @classmethod
    def of_ours(cls, source_type: str, model: str, sha256: str, options: Mapping[str, object]) -> Provenance:
        """Of a picture that is being made: `options` must hold no names of files."""
        said = {name: _in_words(value) for name, value in options.items()}
        return cls(source_type, model, sha256, said, __version__, f"{SYSTEM} {model}")

    def of_damaged_source(self) -> Provenance:
        """Of a picture or film that is what could be read."""
        return replace(self, options={**self.options, "source": DAMAGED})

    @property
    def has_damaged_source(self) -> bool:
        return self.options.get("source") == DAMAGED

    def description(self, about: str = "", *, with_system: bool = True) -> str:
        """The rdf:Description, with all prefixes that it uses; without the system where another program named its."""
        lines = [_element("Iptc4xmpExt:DigitalSourceType", self.source_type)]
        if with_system:
            lines += [_element("Iptc4xmpExt:AISystemUsed", self.system)]
            lines += [_element("Iptc4xmpExt:AISystemVersionUsed", self.version)]
        lines += [_element("img2img:Model", self.model), _element("img2img:ModelSha256", self.sha256)]
        lines += [_element("img2img:Version", self.version), *_options(self.options)]
        spaces = f'xmlns:rdf="{RDF}" xmlns:Iptc4xmpExt="{IPTC}" xmlns:img2img="{OURS}"'
        start = f'<rdf:Description rdf:about="{escaped(about)}" {spaces}>'
        return "\n  ".join([start, *lines]) + "\n </rdf:Description>"

    @cached_property
    def packet(self) -> bytes:
        """A whole packet that says this alone; the same of every photo of a folder."""
        lines = [
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
            f'<x:xmpmeta xmlns:x="{META}">',
            in_rdf(self.description()),
            "</x:xmpmeta>",
            '<?xpacket end="w"?>',
        ]
        return "\n".join(lines).encode()


def in_rdf(description: str) -> str:
    return f'<rdf:RDF xmlns:rdf="{RDF}">\n {description}\n</rdf:RDF>'


def escaped(text: str) -> str:
    """For XML, in an element and in an attribute; what XML cannot hold is U+FFFD."""
    return "".join(_SPELLED.get(each, each) for each in _NOT_IN_XML.sub("\ufffd", text))


def _element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"


def _options(options: Mapping[str, str]) -> Iterable[str]:
    """A structure of one field for each."""
    if not options:
        return
    assert all(map(_OPTION.fullmatch, options)), options
    fields = (_element(f"img2img:{name}", value) for name, value in options.items())
    yield f'<img2img:Options rdf:parseType="Resource">{"".join(fields)}</img2img:Options>'


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
