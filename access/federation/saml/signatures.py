"""Signatures of identity providers: enveloped ones by xmlsec1 through pysaml2, detached ones in addresses."""

import base64
import binascii
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_der_x509_certificate

from access.federation.saml.documents import Document
from access.federation.saml.errors import SamlSignatureRefused, SamlUnavailable
from access.federation.saml.names import RSA_SHA256, SIGNATURE_METHODS


class _Pinned:
    """What pysaml2 asks of its metadata: whoever the issuer says to be, these certificates and no other."""

    def __init__(self, certificates: Sequence[str]) -> None:
        self._certificates = certificates

    def certs(self, *_: object, **__: object) -> list[tuple[None, str]]:
        return [(None, certificate) for certificate in self._certificates]


@dataclass(frozen=True)
class _Toolkit:
    """What is used of pysaml2."""

    context: Callable[..., Any]
    backend: Callable[..., Any]
    issuer: Callable[..., Any]
    name_of: Callable[[Any], str]
    readers: Mapping[str, Callable[[str], Any]]
    refusals: tuple[type[Exception], ...]


@cache
def _toolkit() -> _Toolkit:
    """pysaml2, loaded when it is used first: its schemas take two seconds. Raises SamlUnavailable."""
    try:
        from saml2 import SAMLError, class_name, md, saml, samlp
        from saml2.cert import CertificateError
        from saml2.sigver import CryptoBackendXmlSec1, SecurityContext
    except ImportError:
        raise SamlUnavailable("The extra is not installed: llm-data-vault[saml]") from None
    return _Toolkit(
        context=SecurityContext,
        backend=CryptoBackendXmlSec1,
        issuer=saml.Issuer,
        name_of=class_name,
        readers={
            "Response": samlp.response_from_string,
            "LogoutRequest": samlp.logout_request_from_string,
            "LogoutResponse": samlp.logout_response_from_string,
            "Assertion": saml.assertion_from_string,
            "EntityDescriptor": md.entity_descriptor_from_string,
        },
        # The last four: pysaml2 stumbles over optional parts that are absent.
        refusals=(SAMLError, CertificateError, AttributeError, LookupError, TypeError, ValueError),
    )


def xmlsec_program() -> str:
    """Where xmlsec1 is; raises SamlUnavailable."""
    found = shutil.which("xmlsec1")
    if found is None:
        raise SamlUnavailable("The program xmlsec1 is not installed (Debian package xmlsec1)")
    return found


def verify_enveloped(document: Document, kind: str, element: str, certificates: Sequence[str]) -> None:
    """That ``element`` of ``document`` (its own text; ``kind`` is its name) is signed by one of ``certificates``.

    ``certificates`` are DER in base64; keys that the message itself brings are not looked at. The reference must be to
    the element's own id, and the element must be valid by its schema. Raises SamlSignatureRefused, SamlUnavailable.
    """
    toolkit, program = _toolkit(), xmlsec_program()
    context = toolkit.context(toolkit.backend(program), metadata=_Pinned(certificates), only_use_keys_in_metadata=True)
    try:
        item = toolkit.readers[kind](element)
        context.check_signature(item, toolkit.name_of(item), document.text, issuer=toolkit.issuer(text="pinned"))
    except toolkit.refusals:
        pass
    else:
        return
    raise SamlSignatureRefused  # out here, so that no chain keeps what pysaml2 says: it quotes the message


def verify_redirected(query: str, message: str, certificates: Sequence[str]) -> None:
    """That the raw ``query`` of an address signs its ``message`` (SAMLRequest, SAMLResponse; SAML bindings 3.4.4.1).

    What was signed are the octets as they were sent, so nothing is decoded and encoded again. Raises
    SamlSignatureRefused.
    """
    raw = dict(part.partition("=")[::2] for part in query.split("&"))
    if len(raw) != query.count("&") + 1 or not {message, "SigAlg", "Signature"} <= raw.keys():
        raise SamlSignatureRefused("The address is not signed")
    signed = "&".join(f"{name}={raw[name]}" for name in (message, "RelayState", "SigAlg") if name in raw).encode()
    method = unquote_plus(raw["SigAlg"])
    try:
        signature = base64.b64decode(unquote_plus(raw["Signature"]), validate=True)
    except (binascii.Error, ValueError):
        raise SamlSignatureRefused from None
    if not any(_is_signed_by(certificate, method, signature, signed) for certificate in certificates):
        raise SamlSignatureRefused


def sign_redirected(parameters: dict[str, str], key: rsa.RSAPrivateKey) -> str:
    """``parameters`` (SAMLRequest or SAMLResponse, then RelayState) as the signed query of an address."""
    query = urlencode(parameters | {"SigAlg": RSA_SHA256})
    signature = key.sign(query.encode(), padding.PKCS1v15(), SIGNATURE_METHODS[RSA_SHA256])
    return f"{query}&{urlencode({'Signature': base64.b64encode(signature).decode()})}"


def _is_signed_by(certificate: str, method: str, signature: bytes, signed: bytes) -> bool:
    digest = SIGNATURE_METHODS.get(method)
    key = load_der_x509_certificate(base64.b64decode(certificate)).public_key()
    try:
        if digest is not None and isinstance(key, rsa.RSAPublicKey) and "#rsa-" in method:
            key.verify(signature, signed, padding.PKCS1v15(), digest)
            return True
        if digest is not None and isinstance(key, ec.EllipticCurvePublicKey) and "#ecdsa-" in method:
            key.verify(signature, signed, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    return False
