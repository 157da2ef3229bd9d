"""Signing in at a SAML provider (SAML profiles 4.1): the browser is sent there, and posts back what it says."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from access.auth.landing import landing
from access.federation.arrival import enter, record_refusal
from access.federation.attempts import keep_attempt, spend, take_attempt
from access.federation.errors import FederationRefused
from access.federation.mapping import read_arrival
from access.federation.ports import Arrival, Connection
from access.federation.renewal import proving_user_id, require_trier
from access.federation.saml.documents import Document, decode_posted, read_document
from access.federation.saml.errors import SamlMessageMalformed, SamlReplayed, SamlUnsolicited
from access.federation.saml.handover import CONFIRM, ENTER, TRY, hand_over
from access.federation.saml.messages import new_id, redirect_address, sign_on_request
from access.federation.saml.metadata import IdentityMetadata
from access.federation.saml.peers import Peer, find_peer, read_signed
from access.federation.saml.responses import Expectation, Proof, answered_request, read_response
from access.federation.saml.stored import current_metadata
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The name under which a mapping finds the NameID itself.
NAME_ID: Final = "NameID"
#: Where Microsoft Entra says how somebody proved who they are.
_METHODS: Final = "http://schemas.microsoft.com/claims/authnmethodsreferences"


def begin_sign_on(request: HttpRequest, organization: str, slug: str, *, wanted: str, act: str) -> HttpResponse:
    """Send the browser to the provider; it comes back to ``wanted``. Open no scope around it.

    ``act`` is CONFIRM or TRY, or anything else to come in. The request's id is the state of an attempt that this
    browser keeps, in a cookie that is sent with the form which comes from the provider's site, as the session's is
    not. Raises ProviderNotFound, FederationRefused, SamlMetadataRefused, ProviderUnavailable,
    OutgoingAddressRefused, AccessDenied (to try), after recording what failed.
    """
    peer = find_peer(request, organization, slug)
    facts = {"act": act if act in {CONFIRM, TRY} else ENTER, "wanted": wanted}
    require_trier(request, peer.provider) if act == TRY else _require_active(peer)
    if act == CONFIRM:
        facts["user"] = proving_user_id(request)
    try:
        metadata = current_metadata(peer.connection)
    except VaultError as refusal:
        record_refusal(request, peer.provider, refusal)
        raise
    request_id, there = new_id(), metadata.sign_on
    message = sign_on_request(request_id, here=peer.here, there=there, now=timezone.now(), is_anew=act == CONFIRM)
    response = HttpResponseRedirect(redirect_address(there, "SAMLRequest", message, peer.keys.signing))
    with tenant_scope(peer.connection.tenant_id, Principal.nobody(peer.connection.tenant_id)):
        keep_attempt(request, response, peer.provider, state=request_id, facts=facts, same_site="None")
    return response


def consume_response(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Let in whom the posted response proves, or hand on what it proves about who is in already.

    Open no scope around it. Every refusal is recorded. Raises ProviderNotFound, FederationRefused, NoAccount,
    SamlUnsolicited, SamlReplayed and what read_response raises.
    """
    peer = find_peer(request, organization, slug)
    try:
        proof, facts = _prove(request, peer)
    except VaultError as refusal:
        record_refusal(request, peer.provider, refusal)
        raise
    arrival = arrival_of(proof, peer.connection)
    if facts["act"] != ENTER:
        return hand_over(request, peer, facts, arrival)
    enter(request, peer.provider, arrival, logout_hint=json.dumps(asdict(proof.name_id)))
    return HttpResponseRedirect(landing(request, facts["wanted"]))


def arrival_of(proof: Proof, connection: Connection) -> Arrival:
    """Who arrives with a proof, by the provider's mapping."""
    return read_arrival(
        connection.attributes,
        {NAME_ID: proof.name_id.value, **proof.attributes},
        issuer=proof.issuer,
        subject=proof.name_id.value,
        mfa=is_second_factor(proof.context, proof.attributes, connection.mfa_values),
        authenticated_at=proof.authenticated_at,
        session_index=proof.session_index,
    )


def is_second_factor(context: str, attributes: Mapping[str, tuple[str, ...]], words: frozenset[str]) -> bool:
    """Whether the provider says that it saw a second factor, in one of its ``words`` for it."""
    return not words.isdisjoint({context, *attributes.get(_METHODS, ())} - {""})


def _require_active(peer: Peer) -> None:
    if not peer.provider.is_active:
        raise FederationRefused("This way in is closed", reason="inactive")


def _prove(request: HttpRequest, peer: Peer) -> tuple[Proof, dict[str, str]]:
    """What the response proves, and what the attempt that it answers was for."""
    document, relay_state = _posted(request)
    request_id = answered_request(document)
    facts = {"act": ENTER, "wanted": relay_state} if request_id is None else _attempt(request, peer, request_id)
    if facts["act"] != TRY:
        _require_active(peer)
    if request_id is None and not peer.connection.settings.get("idp_initiated"):
        raise SamlUnsolicited

    def read(metadata: IdentityMetadata) -> Proof:
        return read_response(document, _expectation(peer, metadata, request_id))

    proof = read_signed(peer, read)
    with tenant_scope(peer.connection.tenant_id, Principal.nobody(peer.connection.tenant_id)):
        is_first = spend(peer.provider, f"assertion {proof.assertion_id}", lifetime=proof.ends_at - timezone.now())
    if not is_first:
        raise SamlReplayed
    return proof, facts


def _expectation(peer: Peer, metadata: IdentityMetadata, request_id: str | None) -> Expectation:
    return Expectation(
        issuer=metadata.entity_id,
        certificates=metadata.certificates,
        audience=peer.here.entity_id,
        address=peer.here.consumer,
        request_id=request_id,
        keys=peer.keys.opening,
        now=timezone.now(),
    )


def _attempt(request: HttpRequest, peer: Peer, request_id: str) -> dict[str, str]:
    """The facts of the attempt of that id, this once; raises FederationRefused when this browser did not begin it."""
    with tenant_scope(peer.connection.tenant_id, Principal.nobody(peer.connection.tenant_id)):
        facts = take_attempt(request, peer.provider, state=request_id)
    if "act" not in facts:
        raise FederationRefused("It was not begun in this browser", reason="state")
    return facts


def _posted(request: HttpRequest) -> tuple[Document, str]:
    """The response and the relay state that were posted."""
    try:
        sent = request.POST
    except SuspiciousOperation:  # Django's word for a form that is too big
        raise SamlMessageMalformed("It is too large") from None
    return read_document(decode_posted(sent.get("SAMLResponse", ""))), sent.get("RelayState", "")
