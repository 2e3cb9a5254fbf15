"""What XMP says of how a picture was made: whole packets, patched ones, and those that cannot be patched."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from img2img import __version__
from img2img.photo import Photo, read_photo, read_xmp, write_photo
from img2img.photo.fitting import JPEG_XMP_BYTES, fitted
from img2img.photo.metadata.marked_xmp import marked_xmp, provenance_in
from img2img.photo.metadata.provenance import COMPOSITE, GENERATED, IPTC, META, OURS, RDF, Provenance

SHA = "c0ffee" * 10 + "0123"
MADE = Provenance.of_ours(COMPOSITE, "colorizer", SHA, {"strength": 1.3})
DC = "http://purl.org/dc/elements/1.1/"
LATER = Provenance.of_ours(GENERATED, "digits", SHA[::-1], {"seed": 7})


def packet(inside: str, around: str = "{}", *, about: str = "", rdf: str = "rdf") -> bytes:
    """An XMP packet with these descriptions; `around` is what stands around the xmpmeta."""
    spaces = f'xmlns:dc="{DC}" xmlns:Iptc4xmpExt="{IPTC}"'
    text = inside.replace("<D", f'<{rdf}:Description {rdf}:about="{about}" {spaces}').replace(
        "/D>", f"/{rdf}:Description>"
    )
    body = f'<x:xmpmeta xmlns:x="{META}"><{rdf}:RDF xmlns:{rdf}="{RDF}">{text}</{rdf}:RDF></x:xmpmeta>'
    return around.format(body).encode()


def properties(xmp: bytes) -> list[tuple[str, str]]:
    """All properties of a packet by an independent parser, as {namespace}name and text; of ours the options too."""
    root = ElementTree.fromstring(xmp.decode().strip("\0").strip())
    (rdf,) = root.iter(f"{{{RDF}}}RDF")
    found = []
    for node in rdf:
        assert node.tag == f"{{{RDF}}}Description"
        found += [(name, value) for name, value in node.attrib.items() if not name.startswith(f"{{{RDF}}}")]
        found += [(each.tag, "".join(each.itertext())) for each in node]
    return found


def sayings(made: Provenance) -> list[tuple[str, str]]:
    iptc = {"DigitalSourceType": made.source_type, "AISystemUsed": made.system, "AISystemVersionUsed": made.version}
    ours = {"Model": made.model, "ModelSha256": made.sha256, "Version": made.version}
    ours["Options"] = "".join(made.options.values())
    return [*((f"{{{IPTC}}}{n}", t) for n, t in iptc.items()), *((f"{{{OURS}}}{n}", t) for n, t in ours.items())]


def test_whole_packet_says_it_all_and_nothing_else() -> None:
    made = marked_xmp(None, MADE)
    assert properties(made) == sayings(MADE)
    assert marked_xmp(b"", MADE) == made
    assert (MADE.version, MADE.system, dict(MADE.options)) == (__version__, "img2img colorizer", {"strength": "1.3"})
    assert made.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert len(made) < 1500


def test_options_say_values_as_the_command_line_has_them() -> None:
    said = Provenance.of_ours(COMPOSITE, "m", SHA, {"strength": 1.0, "size": 96, "cycle": True, "palette": ("a", 2)})
    assert dict(said.options) == {"strength": "1", "size": "96", "cycle": "yes", "palette": "a, 2"}
    assert provenance_in(marked_xmp(None, said)) == said


@pytest.mark.parametrize(
    "name", ["<&>'\"]]>", "größe \U0001f984", "a\r\nb\tc", "</rdf:RDF><?xpacket end='r'?>", "&amp;"]
)
def test_any_name_of_a_model_survives(name: str) -> None:
    made = Provenance.of_ours(COMPOSITE, name, SHA, {"label": name})
    assert dict(properties(marked_xmp(None, made)))[f"{{{OURS}}}Model"] == name
    assert provenance_in(marked_xmp(None, made)) == made
    assert provenance_in(marked_xmp(marked_xmp(None, MADE), made)) == made


def test_what_xml_cannot_hold_is_replaced() -> None:
    made = provenance_in(marked_xmp(None, Provenance.of_ours(COMPOSITE, "a\0b\x1b\ud800c", SHA, {})))
    assert made is not None
    assert made.model == "a\ufffdb\ufffd\ufffdc"


PLAIN = packet("<D dc:title='x &gt; y > z'><dc:creator><rdf:Seq><rdf:li>Lange</rdf:li></rdf:Seq></dc:creator></D>")
XPACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}\n<?xpacket end="w"?>'


@pytest.mark.parametrize(
    "before",
    [
        PLAIN,
        packet("<D dc:title='a'/>", XPACKET),
        packet("\n  <D>\n    <dc:title>a</dc:title>\n  </D>\n", XPACKET + "\0\0\0"),
        packet("<D dc:title='a'/><D><dc:source>b</dc:source></D>", about="uuid:a&amp;b"),
        packet("<D dc:title='a'/><!-- </rdf:RDF> <rdf:Description/> -->"),
        packet("<D><dc:title><![CDATA[</rdf:RDF>]]></dc:title></D>"),
        packet("<D dc:title='a'/>", rdf="r"),
        packet(""),
        PLAIN.replace(b"\n", b"\r\n"),
    ],
)
def test_patched_packet_has_all_that_was_in_it(before: bytes) -> None:
    after = marked_xmp(before, MADE)
    assert properties(after) == properties(before) + sayings(MADE)
    assert provenance_in(after) == MADE
    assert marked_xmp(after, MADE) == after
    at = after.index(b"Iptc4xmpExt:DigitalSourceType")
    start, end = after.rindex(b"<rdf:Description", 0, at), after.index(b"</rdf:Description>", at) + 18
    assert after[:start].rstrip() + after[end:] == before  # to the byte, but for the space before it


def test_the_new_description_is_about_what_the_others_are_about() -> None:
    after = marked_xmp(packet("<D dc:title='a'/>", about="uuid:a&amp;&quot;b"), MADE)
    abouts = [node.attrib[f"{{{RDF}}}about"] for node in ElementTree.fromstring(after).iter(f"{{{RDF}}}Description")]
    assert abouts == ['uuid:a&"b'] * 2


CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
EARLIER = {
    "element": f"<D dc:title='a'><Iptc4xmpExt:DigitalSourceType>{CAPTURE}</Iptc4xmpExt:DigitalSourceType></D>",
    "resource": f"<D dc:title='a'><Iptc4xmpExt:DigitalSourceType rdf:resource='{CAPTURE}'/></D>",
    "attribute": f"<D dc:title='a' Iptc4xmpExt:DigitalSourceType='{CAPTURE}'/>",
    "attribute between": f"<D Iptc4xmpExt:DigitalSourceType = \"{CAPTURE}\"\n  dc:title='a'></D>",
    "description": f"<D dc:title='a'/>\n<D Iptc4xmpExt:DigitalSourceType='{CAPTURE}'/>",
    "bag": "<D dc:title='a'><Iptc4xmpExt:DigitalSourceType><rdf:Bag>"
    f"<rdf:li>{CAPTURE}</rdf:li></rdf:Bag></Iptc4xmpExt:DigitalSourceType></D>",
}


@pytest.mark.parametrize("prefix", ["Iptc4xmpExt", "iptcExt"])
@pytest.mark.parametrize("form", EARLIER)
def test_another_source_type_is_replaced_in_every_form(form: str, prefix: str) -> None:
    before = packet(EARLIER[form]).replace(b"Iptc4xmpExt:", f"{prefix}:".encode())
    before = before.replace(b"xmlns:Iptc4xmpExt=", f"xmlns:{prefix}=".encode())
    found = provenance_in(before)
    assert found is not None
    assert (found.source_type, found.model) == (CAPTURE, "")
    after = marked_xmp(before, MADE)
    assert properties(after) == [(f"{{{DC}}}title", "a"), *sayings(MADE)]
    assert b"digitalCapture" not in after
    assert marked_xmp(after, MADE) == after


def test_a_property_of_that_name_in_another_namespace_or_deeper_stays() -> None:
    before = packet(
        f"<D><dc:DigitalSourceType>mine</dc:DigitalSourceType><dc:relation rdf:parseType='Resource'>"
        f"<Iptc4xmpExt:DigitalSourceType>{CAPTURE}</Iptc4xmpExt:DigitalSourceType></dc:relation></D>"
    )
    assert provenance_in(before) is None
    assert properties(marked_xmp(before, MADE)) == properties(before) + sayings(MADE)


@pytest.mark.parametrize("before", [None, PLAIN, packet("<D dc:title='a'/>", XPACKET)])
def test_a_result_converted_again_says_the_newest_alone(before: bytes | None) -> None:
    again = marked_xmp(marked_xmp(before, MADE), LATER)
    assert provenance_in(again) == LATER
    assert again == marked_xmp(before, LATER)
    assert b"colorizer" not in again


def test_another_programs_copy_of_what_we_said_is_replaced() -> None:
    """As Adobe's toolkit writes it: all of one namespace as attributes, structures as descriptions."""
    shorthand = (
        f'<D dc:title="a" xmlns:o="{OURS}" o:Model="old" o:ModelSha256="old" Iptc4xmpExt:AISystemUsed="img2img old" '
        'Iptc4xmpExt:AISystemVersionUsed="0.0"><o:Options><rdf:Description o:strength="0.5" o:size="96"/></o:Options>'
        "</D>"
    )
    before = packet(shorthand)
    found = provenance_in(before)
    assert found is not None
    assert (found.model, found.options) == ("old", {"strength": "0.5", "size": "96"})
    after = marked_xmp(before, MADE)
    assert sorted(properties(after)) == sorted([(f"{{{DC}}}title", "a"), *sayings(MADE)])


def test_the_system_that_another_program_named_stays() -> None:
    """It says how the photo came to be that was coloured; there can be one such name only."""
    before = packet(
        "<D><Iptc4xmpExt:AISystemUsed>Painter</Iptc4xmpExt:AISystemUsed>"
        "<Iptc4xmpExt:AISystemVersionUsed>3</Iptc4xmpExt:AISystemVersionUsed></D>"
    )
    after = marked_xmp(before, MADE)
    ours = [each for each in sayings(MADE) if "AISystem" not in each[0]]
    assert properties(after) == [*properties(before), *ours]
    assert marked_xmp(after, MADE) == after


def test_padding_gives_the_room_that_it_is_there_for() -> None:
    padding = (" " * 99 + "\n") * 20
    before = packet("<D dc:title='a'/>", XPACKET.replace("{}\n", "{}\n" + padding))
    after = marked_xmp(before, MADE)
    assert len(after) == len(before)
    assert properties(after) == properties(before) + sayings(MADE)
    assert re.search(rb'</x:xmpmeta>\n[ \n]*\n<\?xpacket end="w"\?>$', after)
    assert marked_xmp(after, MADE) == after
    little = packet("<D dc:title='a'/>", XPACKET.replace("{}\n", "{}" + " " * 100))
    assert marked_xmp(little, MADE).endswith(b"</x:xmpmeta>" + b" " * 100 + b'<?xpacket end="w"?>')


def test_text_behind_the_padding_is_no_padding() -> None:
    before = packet("<D dc:title='a'/>", "{}<!-- mine -->" + " " * 3000 + '<?xpacket end="w"?>')
    after = marked_xmp(before, MADE)
    assert after.endswith(b"<!-- mine -->" + b" " * 3000 + b'<?xpacket end="w"?>')


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_packet_in_utf_16_stays_in_utf_16(encoding: str) -> None:
    before = packet("<D dc:title='größe \U0001f984'/>", XPACKET)
    after = marked_xmp(before.decode().encode(encoding), MADE)
    assert after.decode(encoding).encode() == marked_xmp(before, MADE)
    assert provenance_in(after) == MADE


@pytest.mark.parametrize(
    "before",
    [
        f'<x:xmpmeta xmlns:x="{META}"></x:xmpmeta>',
        f'<x:xmpmeta xmlns:x="{META}"/>',
        XPACKET.format(f'<x:xmpmeta xmlns:x="{META}" x:xmptk="Tool" />'),
        f'<x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>',
        f'<rdf:RDF xmlns:rdf="{RDF}"></rdf:RDF>',
        f'<r:RDF xmlns:r="{RDF}" />',
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>   <?xpacket end="w"?>',
        "  \n",
    ],
)
def test_a_packet_that_says_nothing_is_filled(before: str) -> None:
    after = marked_xmp(before.encode(), MADE)
    assert properties(after) == sayings(MADE)
    assert ("Tool" in before) == (b"Tool" in after)
    assert marked_xmp(after, MADE) == after


DAMAGED = {
    "cut": PLAIN[:-30],
    "tags that cross": PLAIN.replace(b"</rdf:RDF></x:xmpmeta>", b"</x:xmpmeta></rdf:RDF>"),
    "Latin-1": PLAIN.replace(b"Lange", b"L\xe4nge"),
    "a prefix of no namespace": PLAIN.replace(b"xmlns:dc=", b"xmlns:other="),
    "two roots": PLAIN + PLAIN,
    "a document type": b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + PLAIN,
    "another root": b"<svg><g/></svg>",
    "no XML": b"not XML at all",
    "half of UTF-16": PLAIN.decode().encode("utf-16-le")[:-1],
    "UTF-32": PLAIN.decode().encode("utf-32-le"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_packet_that_cannot_be_patched_stays_as_it_is_and_that_is_said(name: str) -> None:
    with pytest.raises(ValueError, match=r"XMP( with.*)?$"):
        marked_xmp(DAMAGED[name], MADE)
    photo = Photo(np.zeros((4, 4), np.uint8), "L", xmp=DAMAGED[name], provenance=MADE)
    kept, (lost,) = fitted(photo, "TIFF")
    assert kept.xmp == DAMAGED[name]
    assert lost in (
        "provenance (damaged XMP)",
        "provenance (XMP without RDF)",
        "provenance (XMP with a document type)",
    )


def test_a_packet_of_many_properties_takes_no_time() -> None:
    many = packet("<D>" + f"<Iptc4xmpExt:DigitalSourceType>{CAPTURE}</Iptc4xmpExt:DigitalSourceType>" * 5_000 + "</D>")
    assert properties(marked_xmp(many, MADE)) == sayings(MADE)
    deep = packet("<D><dc:title>" + "<dc:a>" * 5_000 + "</dc:a>" * 5_000 + "</dc:title></D>")
    assert provenance_in(marked_xmp(deep, MADE)) == MADE


def test_reading_tells_nothing_from_something() -> None:
    assert provenance_in(None) is None
    assert provenance_in(b"") is None
    assert provenance_in(PLAIN) is None
    named = provenance_in(packet("<D Iptc4xmpExt:AISystemUsed='Painter' Iptc4xmpExt:AISystemVersionUsed='3'/>"))
    assert named == Provenance("", version="3", system="Painter")


PIXELS = (np.arange(24 * 16 * 3) % 251).astype(np.uint8).reshape(24, 16, 3)


@pytest.mark.parametrize("xmp", [None, PLAIN])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_every_format_that_holds_xmp_says_it(image_format: str, xmp: bytes | None) -> None:
    stream = io.BytesIO()
    assert write_photo(Photo(PIXELS, "RGB", xmp=xmp, provenance=MADE), stream, format=image_format) == ()
    said = read_xmp(io.BytesIO(stream.getvalue()))
    assert said == marked_xmp(xmp, MADE)
    assert read_photo(io.BytesIO(stream.getvalue())).xmp == said
    if image_format != "TIFF":  # of which Pillow has the packet elsewhere
        info = Image.open(io.BytesIO(stream.getvalue())).info
        assert info.get("xmp") == said or info["XML:com.adobe.xmp"].encode() == said


def test_a_bmp_says_that_it_cannot_say_it() -> None:
    lost = write_photo(Photo(PIXELS, "RGB", provenance=MADE), io.BytesIO(), format="BMP")
    assert lost == ("provenance (a BMP holds none)",)
    assert write_photo(Photo(PIXELS, "RGB"), io.BytesIO(), format="BMP") == ()


def test_xmp_for_which_a_jpeg_has_no_room_is_kept_before_what_would_be_added() -> None:
    room = JPEG_XMP_BYTES - len(marked_xmp(packet("<D dc:title=''/>"), MADE))
    for more, lost in ((0, ()), (1, ("provenance (no room beside the other XMP)",))):
        xmp = packet(f"<D dc:title='{'a' * (room + more)}'/>")
        stream = io.BytesIO()
        assert write_photo(Photo(PIXELS, "RGB", xmp=xmp, provenance=MADE), stream, format="JPEG") == lost
        assert read_xmp(io.BytesIO(stream.getvalue())) == (xmp if lost else marked_xmp(xmp, MADE))


def test_xmp_that_no_jpeg_can_hold_gives_way_to_a_packet_of_ours() -> None:
    xmp = packet(f"<D dc:title='{'a' * JPEG_XMP_BYTES}'/>")
    stream = io.BytesIO()
    assert write_photo(Photo(PIXELS, "RGB", xmp=xmp, provenance=MADE), stream, format="JPEG") == (
        "XMP of more than 64 KB",
    )
    assert read_xmp(io.BytesIO(stream.getvalue())) == marked_xmp(None, MADE)


def test_the_first_half_of_an_extended_xmp_is_patched() -> None:
    """The second half is lost and named; what is left must not point to it."""
    note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"'
    main = packet(f"<D dc:title='a' {note}/>")
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "JPEG", xmp=main)
    data = stream.getvalue()
    extension = b"http://ns.adobe.com/xmp/extension/\0" + b"0123456789ABCDEF" * 2 + bytes(8) + b"<x/>"
    segment = b"\xff\xe1" + (len(extension) + 2).to_bytes(2, "big") + extension
    photo = read_photo(io.BytesIO(data[:2] + segment + data[2:]))
    assert photo.lost == ("extended XMP",)
    result = io.BytesIO()
    assert write_photo(replace(photo, provenance=MADE), result) == ()
    said = read_xmp(io.BytesIO(result.getvalue()))
    assert said is not None
    assert properties(said) == [(f"{{{DC}}}title", "a"), *sayings(MADE)]


def test_xmp_is_read_where_nothing_of_the_picture_is() -> None:
    stream = io.BytesIO()
    write_photo(Photo(PIXELS, "RGB", provenance=MADE), stream, format="JPEG")
    cut = stream.getvalue()[:-200]
    assert provenance_in(read_xmp(io.BytesIO(cut))) == MADE
