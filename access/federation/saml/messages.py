"""What the vault sends as a service provider: requests and answers, signed in the address, and its metadata."""

import base64
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from cryptography.hazmat.primitives.asymmetric import rsa

from access.federation.saml.moments import write_moment
from access.federation.saml.names import (
    ASSERTION_NS,
    ENCRYPTION_11_NS,
    ENCRYPTION_NS,
    METADATA_NS,
    POST,
    PROTOCOL_NS,
    REDIRECT,
    SIGNATURE_NS,
    tag,
)
from access.federation.saml.responses import NameID
from access.federation.saml.signatures import sign_redirected

#: What is accepted of encrypted assertions, best first.
_CIPHERS: Final = (
    f"{ENCRYPTION_11_NS}aes256-gcm",
    f"{ENCRYPTION_11_NS}aes128-gcm",
    f"{ENCRYPTION_NS}rsa-oaep-mgf1p",
)


@dataclass(frozen=True)
class ServiceAddresses:
    """Where the vault is reached for one provider. The address of its metadata is its entity id."""

    entity_id: str
    consumer: str
    sign_out: str


def new_id() -> str:
    """An id that nobody guesses: 160 random bits, an XML name."""
    return f"_{secrets.token_hex(20)}"


def sign_on_request(
    request_id: str, *, here: ServiceAddresses, there: str, now: datetime, is_anew: bool = False
) -> str:
    """An AuthnRequest for a posted response; ``is_anew`` asks that people prove who they are once more."""
    root = _message("AuthnRequest", request_id, here, there, now)
    root.set("AssertionConsumerServiceURL", here.consumer)
    root.set("ProtocolBinding", POST)
    if is_anew:
        root.set("ForceAuthn", "true")
    SubElement(root, tag(PROTOCOL_NS, "NameIDPolicy"), {"AllowCreate": "true"})
    return tostring(root, "unicode")


def sign_out_request(
    request_id: str, *, here: ServiceAddresses, there: str, name_id: NameID, session_index: str, now: datetime
) -> str:
    """A LogoutRequest for one session of ``name_id``."""
    root = _message("LogoutRequest", request_id, here, there, now)
    named = {
        "Format": name_id.format,
        "NameQualifier": name_id.name_qualifier,
        "SPNameQualifier": name_id.sp_name_qualifier,
    }
    about = SubElement(root, tag(ASSERTION_NS, "NameID"), {name: text for name, text in named.items() if text})
    about.text = name_id.value
    if session_index:
        SubElement(root, tag(PROTOCOL_NS, "SessionIndex")).text = session_index
    return tostring(root, "unicode")


def sign_out_answer(*, answered: str, status: str, here: ServiceAddresses, there: str, now: datetime) -> str:
    """A LogoutResponse to the request of id ``answered``."""
    root = _message("LogoutResponse", new_id(), here, there, now)
    root.set("InResponseTo", answered)
    outcome = SubElement(root, tag(PROTOCOL_NS, "Status"))
    SubElement(outcome, tag(PROTOCOL_NS, "StatusCode"), {"Value": status})
    return tostring(root, "unicode")


def redirect_address(there: str, name: str, message: str, key: rsa.RSAPrivateKey, *, relay_state: str = "") -> str:
    """The address that carries ``message`` as ``name`` (SAMLRequest, SAMLResponse) to ``there``, signed."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = deflate.compress(message.encode()) + deflate.flush()
    parameters = {name: base64.b64encode(packed).decode()} | ({"RelayState": relay_state} if relay_state else {})
    return f"{there}{'&' if '?' in there else '?'}{sign_redirected(parameters, key)}"


def service_metadata(here: ServiceAddresses, certificates: Sequence[str]) -> bytes:
    """The vault's metadata for one provider; ``certificates`` (DER in base64) as they are published, current first."""
    root = Element(tag(METADATA_NS, "EntityDescriptor"), {"entityID": here.entity_id})
    role = SubElement(
        root,
        tag(METADATA_NS, "SPSSODescriptor"),
        {
            "AuthnRequestsSigned": "true",
            "WantAssertionsSigned": "true",
            "protocolSupportEnumeration": PROTOCOL_NS,
        },
    )
    for use in ("signing", "encryption"):
        for certificate in certificates:
            _add_key(role, use, certificate)
    for binding in (REDIRECT, POST):
        located = {"Binding": binding, "Location": here.sign_out}
        SubElement(role, tag(METADATA_NS, "SingleLogoutService"), located)
    consumer = {"Binding": POST, "Location": here.consumer, "index": "0", "isDefault": "true"}
    SubElement(role, tag(METADATA_NS, "AssertionConsumerService"), consumer)
    document: bytes = tostring(root, "utf-8", xml_declaration=True)
    return document


def _add_key(role: Element, use: str, certificate: str) -> None:
    key = SubElement(role, tag(METADATA_NS, "KeyDescriptor"), {"use": use})
    data = SubElement(SubElement(key, tag(SIGNATURE_NS, "KeyInfo")), tag(SIGNATURE_NS, "X509Data"))
    SubElement(data, tag(SIGNATURE_NS, "X509Certificate")).text = certificate
    for algorithm in _CIPHERS if use == "encryption" else ():
        SubElement(key, tag(METADATA_NS, "EncryptionMethod"), {"Algorithm": algorithm})


def _message(name: str, message_id: str, here: ServiceAddresses, there: str, now: datetime) -> Element:
    facts = {"ID": message_id, "Version": "2.0", "IssueInstant": write_moment(now), "Destination": there}
    root = Element(tag(PROTOCOL_NS, name), facts)
    SubElement(root, tag(ASSERTION_NS, "Issuer")).text = here.entity_id
    return root
