"""Single logout (SAML profiles 4.4), front-channel: the vault tells the provider, and the provider the vault."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils import timezone

from access.federation.arrival import record_refusal
from access.federation.attempts import spend
from access.federation.logout import end_federated_sessions
from access.federation.ports import Connection, FederatedLogin
from access.federation.saml.documents import (
    Document,
    check_signatures,
    decode_posted,
    decode_redirected,
    read_document,
)
from access.federation.saml.errors import SamlConditionsNotMet, SamlMessageMalformed, SamlReplayed
from access.federation.saml.keys import service_keys
from access.federation.saml.messages import new_id, redirect_address, sign_out_answer, sign_out_request
from access.federation.saml.metadata import IdentityMetadata
from access.federation.saml.moments import SKEW, read_moment
from access.federation.saml.names import ASSERTION_NS, PROTOCOL_NS, SUCCESS, tag
from access.federation.saml.peers import Peer, find_peer, read_signed, service_addresses
from access.federation.saml.responses import MAX_AGE, NameID
from access.federation.saml.signatures import verify_enveloped, verify_redirected
from access.federation.saml.stored import current_metadata
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: How long the ids of requests are remembered: by then they are too old to be accepted.
_REMEMBERED: Final = MAX_AGE + 2 * SKEW
_KINDS: Final = {"SAMLRequest": "LogoutRequest", "SAMLResponse": "LogoutResponse"}


@dataclass(frozen=True)
class _Received:
    """A message of single logout, not verified: ``query`` is the raw query it came in, None when it was posted."""

    name: str
    document: Document
    relay_state: str
    query: str | None


def sign_out_address(connection: Connection, login: FederatedLogin, base: str) -> str | None:
    """Where to send a browser whose session was ended here, so that it ends at the provider too.

    None where the provider has no single logout. Open no scope around it. Raises SamlMetadataRefused,
    ProviderUnavailable.
    """
    there = current_metadata(connection).sign_out
    if there is None or not login.logout_hint:
        return None
    with tenant_scope(connection.tenant_id, Principal.nobody(connection.tenant_id)):
        keys = service_keys(connection.provider_id)
    message = sign_out_request(
        new_id(),
        here=service_addresses(connection, base),
        there=there,
        name_id=NameID(**json.loads(login.logout_hint)),
        session_index=login.session_index,
        now=timezone.now(),
    )
    return redirect_address(there, "SAMLRequest", message, keys.signing)


def receive_sign_out(request: HttpRequest, organization: str, slug: str) -> str | None:
    """Do what a provider's message of single logout says; the address that its browser goes on to, for an answer.

    A request ends the sessions that it names; a response ends nothing, the session was over before it was asked for.
    Open no scope around it. Every refusal is recorded. Raises ProviderNotFound, SamlMessageMalformed,
    SamlSignatureRefused, SamlConditionsNotMet, SamlReplayed, SamlMetadataRefused, ProviderUnavailable.
    """
    peer = find_peer(request, organization, slug)
    try:
        received = _receive(request)
        metadata = read_signed(peer, lambda metadata: _verify(received, metadata, peer))
        if received.name == "SAMLResponse":
            return None
        _end(request, peer, metadata, received.document)
    except VaultError as refusal:
        record_refusal(request, peer.provider, refusal)
        raise
    if metadata.sign_out_answer is None:
        return None
    there, answered = metadata.sign_out_answer, received.document.root.get("ID", "")
    message = sign_out_answer(answered=answered, status=SUCCESS, here=peer.here, there=there, now=timezone.now())
    return redirect_address(there, "SAMLResponse", message, peer.keys.signing, relay_state=received.relay_state)


def _receive(request: HttpRequest) -> _Received:
    query = request.META.get("QUERY_STRING", "") if request.method == "GET" else None
    try:
        given = request.GET if query is not None else request.POST
    except SuspiciousOperation:  # Django's word for a form that is too big
        raise SamlMessageMalformed("It is too large") from None
    names = [name for name in _KINDS if name in given]
    if len(names) != 1 or (query is not None and any(len(values) > 1 for values in parse_qs(query).values())):
        raise SamlMessageMalformed("It is not one message")
    decode = decode_redirected if query is not None else decode_posted
    document = read_document(decode(given[names[0]]))
    return _Received(names[0], document, given.get("RelayState", ""), query)


def _verify(received: _Received, metadata: IdentityMetadata, peer: Peer) -> IdentityMetadata:
    """``metadata``, when by it the message is signed, from the provider, for here and from now."""
    document, kind = received.document, _KINDS[received.name]
    if document.root.tag != tag(PROTOCOL_NS, kind):
        raise SamlMessageMalformed("It is no message of single logout")
    if received.query is not None:
        verify_redirected(received.query, received.name, metadata.certificates)
    else:
        check_signatures(document.root, signed=(document.root,))
        verify_enveloped(document, kind, document.text, metadata.certificates)
    root, now = document.root, timezone.now()
    issued, is_ended = read_moment(root.get("IssueInstant")), "NotOnOrAfter" in root.attrib
    ends = read_moment(root.get("NotOnOrAfter"))
    if root.get("Version") != "2.0" or _text(document, ASSERTION_NS, "Issuer") != metadata.entity_id:
        raise SamlConditionsNotMet("It comes from another issuer")
    if root.get("Destination") != peer.here.sign_out:
        raise SamlConditionsNotMet("It is meant for another address")
    if issued is None or not now - MAX_AGE - SKEW <= issued <= now + SKEW:
        raise SamlConditionsNotMet("It was not issued just now")
    if is_ended and (ends is None or ends <= now - SKEW):
        raise SamlConditionsNotMet("Its time is over")
    return metadata


def _end(request: HttpRequest, peer: Peer, metadata: IdentityMetadata, document: Document) -> None:
    subject = _text(document, ASSERTION_NS, "NameID")
    if not subject:
        raise SamlConditionsNotMet("It does not name its subject by a NameID")
    indexes = [(each.text or "").strip() for each in document.root.findall(tag(PROTOCOL_NS, "SessionIndex"))]
    tenant_id = peer.connection.tenant_id
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        if not spend(peer.provider, f"logout {document.root.get('ID', '')}", lifetime=_REMEMBERED):
            raise SamlReplayed
        for index in dict.fromkeys(indexes or [""]):
            end_federated_sessions(peer.provider, issuer=metadata.entity_id, subject=subject, session_index=index)


def _text(document: Document, namespace: str, name: str) -> str:
    return (document.root.findtext(tag(namespace, name)) or "").strip()
