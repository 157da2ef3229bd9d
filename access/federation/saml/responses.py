"""The web browser SSO profile (SAML profiles 4.1), as strictly as it can be read: what a response proves.

Everything is required that the profile has: both signatures, both issuers, destination, recipient, audience, times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element, tostring

from cryptography.hazmat.primitives.asymmetric import rsa

from access.federation.saml.decryption import decrypt_assertion
from access.federation.saml.documents import ASSERTION, RESPONSE, Document, only_assertion, read_document
from access.federation.saml.errors import (
    SamlConditionsNotMet,
    SamlMessageMalformed,
    SamlProviderRefused,
    SamlUnsolicited,
)
from access.federation.saml.moments import SKEW, read_moment
from access.federation.saml.names import ASSERTION_NS, BEARER, PROTOCOL_NS, SUCCESS, TRANSIENT, tag
from access.federation.saml.signatures import verify_enveloped

#: How old a response may be. Its assertion's id is remembered for longer, see :attr:`Proof.ends_at`.
MAX_AGE: Final = timedelta(minutes=5)
#: The longest an assertion may say that it can be presented.
MAX_LIFETIME: Final = timedelta(hours=1)
_MAX_VALUE: Final = 1024
_MAX_SUBJECT: Final = 255
_CONDITIONS: Final = frozenset(
    tag(ASSERTION_NS, name) for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")
)


@dataclass(frozen=True)
class NameID:
    """Whom an assertion is about, as a logout has to repeat it."""

    value: str
    format: str = ""
    name_qualifier: str = ""
    sp_name_qualifier: str = ""


@dataclass(frozen=True)
class Proof:
    """What a verified response says. ``ends_at`` is after the last moment at which it would be accepted."""

    assertion_id: str
    issuer: str
    name_id: NameID
    session_index: str
    context: str
    authenticated_at: datetime | None
    attributes: Mapping[str, tuple[str, ...]]
    ends_at: datetime


@dataclass(frozen=True)
class Expectation:
    """Whose response is awaited where: ``issuer`` with its ``certificates``, at ``address``, for ``audience``.

    ``request_id`` is the request it has to answer; None takes one that answers none, and none that answers any.
    ``keys`` open what is encrypted.
    """

    issuer: str
    certificates: Sequence[str]
    audience: str
    address: str
    request_id: str | None
    keys: Sequence[rsa.RSAPrivateKey]
    now: datetime


def answered_request(document: Document) -> str | None:
    """The request that a response says to answer, before anything of it is verified; raises SamlMessageMalformed."""
    if document.root.tag != RESPONSE:
        raise SamlMessageMalformed("It is not a response")
    return document.root.get("InResponseTo")


def read_response(document: Document, expected: Expectation) -> Proof:
    """What ``document`` proves.

    Raises SamlMessageMalformed, SamlSignatureRefused, SamlNotDecrypted, SamlConditionsNotMet, SamlUnsolicited,
    SamlProviderRefused, SamlUnavailable.
    """
    _check_status(document.root)
    assertion = only_assertion(document)
    verify_enveloped(document, "Response", document.text, expected.certificates)
    _check_response(document.root, expected)
    holder = document
    if assertion.tag != ASSERTION:
        holder = decrypt_assertion(document, assertion, expected.keys)
        assertion = holder.root[0]
    verify_enveloped(holder, "Assertion", tostring(assertion, "unicode"), expected.certificates)
    return _check_assertion(assertion, expected)


def read_unverified(raw: bytes) -> tuple[str, NameID, str, Mapping[str, tuple[str, ...]]]:
    """Issuer, subject, context and attributes of a pasted response or assertion, for a trial of the mapping alone.

    Raises SamlMessageMalformed.
    """
    document = read_document(raw)
    found = [document.root] if document.root.tag == ASSERTION else list(document.root.iter(ASSERTION))
    if len(found) != 1:
        raise SamlMessageMalformed("It has not one assertion that is not encrypted")
    return _text(found[0], "Issuer"), _name_id(found[0]), _context(found[0]), _attributes(found[0])


def _check_status(root: Element) -> None:
    """The provider's no is told as such; it comes without assertion, and often unsigned."""
    code = root.find(f"{tag(PROTOCOL_NS, 'Status')}/{tag(PROTOCOL_NS, 'StatusCode')}")
    if code is not None and code.get("Value") != SUCCESS:
        raise SamlProviderRefused
    if code is None:
        raise SamlMessageMalformed("It has no status")


def _check_response(root: Element, expected: Expectation) -> None:
    if root.get("Version") != "2.0" or _text(root, "Issuer") != expected.issuer:
        raise SamlConditionsNotMet("It comes from another issuer")
    if root.get("Destination") != expected.address:
        raise SamlConditionsNotMet("It is meant for another address")
    _check_request(root.get("InResponseTo"), expected)
    _check_issued(root, expected.now)


def _check_request(answered: str | None, expected: Expectation) -> None:
    if answered != expected.request_id:
        raise SamlUnsolicited


def _check_issued(element: Element, now: datetime) -> None:
    issued = read_moment(element.get("IssueInstant"))
    if issued is None or not now - MAX_AGE - SKEW <= issued <= now + SKEW:
        raise SamlConditionsNotMet("It was not issued just now")


def _check_assertion(assertion: Element, expected: Expectation) -> Proof:
    if assertion.get("Version") != "2.0" or _text(assertion, "Issuer") != expected.issuer:
        raise SamlConditionsNotMet("Its assertion comes from another issuer")
    _check_issued(assertion, expected.now)
    _check_conditions(assertion, expected)
    ends = _confirmed_until(assertion, expected)
    statement = _check_authentication(assertion, expected.now)
    return Proof(
        assertion_id=assertion.get("ID", ""),
        issuer=expected.issuer,
        name_id=_name_id(assertion),
        session_index=_short(statement.get("SessionIndex")),
        context=_context(assertion),
        authenticated_at=read_moment(statement.get("AuthnInstant")),
        attributes=_attributes(assertion),
        ends_at=ends + SKEW,
    )


def _check_conditions(assertion: Element, expected: Expectation) -> None:
    found = assertion.findall(tag(ASSERTION_NS, "Conditions"))
    if len(found) != 1 or any(child.tag not in _CONDITIONS for child in found[0]):
        raise SamlConditionsNotMet("Its assertion has no conditions, or unknown ones")
    _check_time(found[0], expected.now)
    restrictions = found[0].findall(tag(ASSERTION_NS, "AudienceRestriction"))
    audiences = [{(each.text or "").strip() for each in restriction} for restriction in restrictions]
    if not audiences or any(expected.audience not in each for each in audiences):
        raise SamlConditionsNotMet("Its assertion is meant for another audience")


def _check_time(element: Element, now: datetime) -> datetime:
    """The end of a NotBefore and NotOnOrAfter that hold now; the end is required."""
    ends, starts = read_moment(element.get("NotOnOrAfter")), read_moment(element.get("NotBefore"))
    has_begun = "NotBefore" not in element.attrib or (starts is not None and starts <= now + SKEW)
    if ends is None or not has_begun or not now - SKEW < ends:
        raise SamlConditionsNotMet("Its assertion does not hold at this time")
    return ends


def _confirmed_until(assertion: Element, expected: Expectation) -> datetime:
    """Until when the bearer of the assertion is its subject, by the one confirmation that it has."""
    path = f"{tag(ASSERTION_NS, 'Subject')}/{tag(ASSERTION_NS, 'SubjectConfirmation')}"
    confirmations = assertion.findall(path)
    data = [each.find(tag(ASSERTION_NS, "SubjectConfirmationData")) for each in confirmations]
    if len(confirmations) != 1 or confirmations[0].get("Method") != BEARER or data[0] is None:
        raise SamlConditionsNotMet("Its assertion is not one for its bearer")
    if data[0].get("Recipient") != expected.address:
        raise SamlConditionsNotMet("Its assertion is meant for another recipient")
    _check_request(data[0].get("InResponseTo"), expected)
    ends = _check_time(data[0], expected.now)
    if ends > expected.now + MAX_LIFETIME:
        raise SamlConditionsNotMet("Its assertion could be presented for too long")
    return ends


def _check_authentication(assertion: Element, now: datetime) -> Element:
    statements = assertion.findall(tag(ASSERTION_NS, "AuthnStatement"))
    if len(statements) != 1:
        raise SamlConditionsNotMet("Its assertion does not say that somebody signed in")
    instant, ends = (read_moment(statements[0].get(name)) for name in ("AuthnInstant", "SessionNotOnOrAfter"))
    is_over = "SessionNotOnOrAfter" in statements[0].attrib and (ends is None or ends <= now - SKEW)
    if instant is None or instant > now + SKEW or is_over:
        raise SamlConditionsNotMet("The session at the identity provider is over")
    return statements[0]


def _name_id(assertion: Element) -> NameID:
    found = assertion.find(f"{tag(ASSERTION_NS, 'Subject')}/{tag(ASSERTION_NS, 'NameID')}")
    value = (found.text or "").strip() if found is not None and not len(found) else ""
    if found is None or not 0 < len(value) <= _MAX_SUBJECT or not value.isprintable():
        raise SamlConditionsNotMet("Its assertion does not name its subject by a NameID")
    if found.get("Format") == TRANSIENT:
        raise SamlConditionsNotMet("It names its subject by a transient NameID, which is another one every time")
    qualifiers = (_short(found.get(name)) for name in ("Format", "NameQualifier", "SPNameQualifier"))
    return NameID(value, *qualifiers)


def _context(assertion: Element) -> str:
    path = "/".join(tag(ASSERTION_NS, name) for name in ("AuthnStatement", "AuthnContext", "AuthnContextClassRef"))
    return _short(assertion.findtext(path))


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Values by the formal names of attributes; friendly names are for people (SAML core 2.7.3.1)."""
    found: dict[str, tuple[str, ...]] = {}
    for each in assertion.iterfind(f"{tag(ASSERTION_NS, 'AttributeStatement')}/{tag(ASSERTION_NS, 'Attribute')}"):
        values = (_short(value.text) for value in each.iterfind(tag(ASSERTION_NS, "AttributeValue")) if not len(value))
        found[each.get("Name", "")] = (*found.get(each.get("Name", ""), ()), *(value for value in values if value))
    return found


def _text(element: Element, name: str) -> str:
    return (element.findtext(tag(ASSERTION_NS, name)) or "").strip()


def _short(text: str | None) -> str:
    stripped = (text or "").strip()
    return stripped if len(stripped) <= _MAX_VALUE and stripped.isprintable() else ""
