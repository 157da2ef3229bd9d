"""XML from strangers: small, without a document type, and of the one shape that a SAML message has.

The shape is looked at before any signature: one assertion and no second place for one, each id once, signatures only
where SAML puts them and by accepted algorithms. A wrapped message (XSW) has no such shape, whatever it carries.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final, NoReturn
from xml.etree.ElementTree import Element
from xml.parsers import expat

from defusedxml.ElementTree import fromstring

from access.federation.saml.errors import SamlMessageMalformed, SamlSignatureRefused
from access.federation.saml.names import (
    ASSERTION_NS,
    DIGEST_METHODS,
    PROTOCOL_NS,
    SIGNATURE_METHODS,
    SIGNATURE_NS,
    tag,
)

#: Of one message, decoded.
MAX_MESSAGE_BYTES: Final = 512 * 1024
MAX_METADATA_BYTES: Final = 1024 * 1024
_MAX_DEPTH: Final = 40
_MAX_ELEMENTS: Final = 20_000

ASSERTION: Final = tag(ASSERTION_NS, "Assertion")
ENCRYPTED_ASSERTION: Final = tag(ASSERTION_NS, "EncryptedAssertion")
ISSUER: Final = tag(ASSERTION_NS, "Issuer")
RESPONSE: Final = tag(PROTOCOL_NS, "Response")
SIGNATURE: Final = tag(SIGNATURE_NS, "Signature")
_ID_NAMES: Final = frozenset({"id", "{http://www.w3.org/xml/1998/namespace}id"})


@dataclass(frozen=True)
class Document:
    """An XML document that passed :func:`read_document`: its text, and the same as a tree."""

    text: str
    root: Element


def decode_posted(value: str) -> bytes:
    """What the POST binding carries (SAML bindings 3.5.4); raises SamlMessageMalformed."""
    if len(value) > MAX_MESSAGE_BYTES * 3 // 2:
        raise SamlMessageMalformed("It is too large")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SamlMessageMalformed("It is not base64") from None


def decode_redirected(value: str) -> bytes:
    """What the redirect binding carries (SAML bindings 3.4.4.1), inflated up to the limit; raises the same."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        raw = inflate.decompress(decode_posted(value), MAX_MESSAGE_BYTES + 1)
    except zlib.error:
        raise SamlMessageMalformed("It is not deflated") from None
    if len(raw) > MAX_MESSAGE_BYTES or not inflate.eof:
        raise SamlMessageMalformed("It is too large, or not complete")
    return raw


def read_document(raw: bytes, *, limit: int = MAX_MESSAGE_BYTES, has_comments: bool = False) -> Document:
    """Parse ``raw``; raises SamlMessageMalformed.

    Refused: other encodings than UTF-8, document types (and with them entities), processing instructions, comments
    unless ``has_comments``, an id that occurs twice, and what is too large, deep or manifold.
    """
    if len(raw) > limit:
        raise SamlMessageMalformed("It is too large")
    try:
        text = raw.decode("utf-8-sig")
        _scan(raw, has_comments=has_comments)
        root = fromstring(text.encode(), forbid_dtd=True)
    except (UnicodeDecodeError, expat.ExpatError, SyntaxError):
        raise SamlMessageMalformed("It is not XML in UTF-8") from None
    ids = [value for each in root.iter() for name, value in each.attrib.items() if name.lower() in _ID_NAMES]
    if len(ids) != len(set(ids)):
        raise SamlMessageMalformed("An id occurs twice")
    return Document(text, root)


def only_assertion(response: Document) -> Element:
    """The one assertion of a response, encrypted or not; its signatures are in their places.

    Raises SamlMessageMalformed, SamlSignatureRefused.
    """
    root = response.root
    if root.tag != RESPONSE:
        raise SamlMessageMalformed("It is not a response")
    everywhere = [each for each in root.iter() if each.tag in {ASSERTION, ENCRYPTED_ASSERTION}]
    here = [each for each in root if each.tag in {ASSERTION, ENCRYPTED_ASSERTION}]
    if len(everywhere) != 1 or here != everywhere or any(each.tag == RESPONSE for each in root.iter() if each != root):
        raise SamlMessageMalformed("It has not one assertion, in the place of one")
    check_signatures(root, signed=(root, *(each for each in here if each.tag == ASSERTION)))
    return here[0]


def check_signatures(root: Element, *, signed: tuple[Element, ...]) -> None:
    """That each of ``signed`` has one signature, in its place, that there is no other, and by which algorithms.

    Its place is first, or after the issuer (SAML core, 3.2.1): xmlsec1 takes the first signature that it meets in an
    element, which has to be its own. Raises SamlSignatureRefused.
    """
    in_place = [child for each in signed for child in each if child.tag == SIGNATURE]
    everywhere = list(root.iter(SIGNATURE))
    if len(in_place) != len(signed) or any(sum(c.tag == SIGNATURE for c in each) != 1 for each in signed):
        raise SamlSignatureRefused("A signature is missing: the response and the assertion must both be signed")
    is_first = all([c.tag for c in each if c.tag != ISSUER][:1] == [SIGNATURE] for each in signed)
    if len(everywhere) != len(in_place) or not is_first:
        raise SamlSignatureRefused("A signature is where none belongs")
    for signature in in_place:
        _check_algorithms(signature)


def _check_algorithms(signature: Element) -> None:
    methods = [each.get("Algorithm", "") for each in signature.iter(tag(SIGNATURE_NS, "SignatureMethod"))]
    digests = [each.get("Algorithm", "") for each in signature.iter(tag(SIGNATURE_NS, "DigestMethod"))]
    if len(methods) != 1 or len(digests) != 1 or signature.find(f".//{tag(SIGNATURE_NS, 'Object')}") is not None:
        raise SamlSignatureRefused("A signature must have one reference and carry nothing")
    if methods[0] not in SIGNATURE_METHODS or digests[0] not in DIGEST_METHODS:
        raise SamlSignatureRefused("The algorithm of a signature is not accepted (SHA-256 or better is)")


def _scan(raw: bytes, *, has_comments: bool) -> None:
    """Read once without building anything, and stop at the first thing that does not belong here."""
    parser, size = expat.ParserCreate(), _Size()
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.CommentHandler = None if has_comments else _refuse
    parser.StartElementHandler = size.enter
    parser.EndElementHandler = size.leave
    parser.Parse(raw, True)


def _refuse(*_: object) -> NoReturn:
    raise SamlMessageMalformed("It has a document type, a comment or an instruction")


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding and encoding.lower() not in {"utf-8", "utf8"}:
        raise SamlMessageMalformed("It is not XML in UTF-8")


class _Size:
    """How deep the parser is, and how many elements it has seen."""

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def enter(self, *_: object) -> None:
        self.depth, self.elements = self.depth + 1, self.elements + 1
        if self.depth > _MAX_DEPTH or self.elements > _MAX_ELEMENTS:
            raise SamlMessageMalformed("It is too deep, or has too many parts")

    def leave(self, _name: str) -> None:
        self.depth -= 1
