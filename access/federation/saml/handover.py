"""What a response proves about who is signed in already, handed from the post of another site to a page of this one.

The session's cookie is SameSite=Lax: it does not come with the post, and comes with the redirect after it. In between
the browser keeps what was proved, sealed, and for one use.
"""

import json
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.auth.landing import landing
from access.federation.attempts import keep_attempt, take_attempt
from access.federation.errors import FederationRefused
from access.federation.ports import Arrival
from access.federation.renewal import confirm_arrival, keep_trial
from access.federation.saml.messages import new_id
from access.federation.saml.peers import Peer, find_peer, service_path
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: What a sign-in is for: to come in, to prove anew who one is, to try the provider out.
ENTER: Final = "enter"
CONFIRM: Final = "confirm"
TRY: Final = "try"
#: A cookie holds about four kilobytes: of somebody's groups as many are shown to who tries a provider out.
_MOST_GROUPS: Final = 40
_MOST_NAMES: Final = 1200


def hand_over(request: HttpRequest, peer: Peer, facts: dict[str, str], arrival: Arrival) -> HttpResponse:
    """Send the browser on to :func:`finish_step` with ``arrival``, for the CONFIRM or TRY of ``facts``."""
    state = new_id()
    response = HttpResponseRedirect(f"{service_path(peer.connection, 'finish')}?{urlencode({'state': state})}")
    # Not the facts themselves: what has no "act" answers no request.
    kept = {"handed": json.dumps({**facts, "arrival": _packed(arrival, facts["act"])})}
    with tenant_scope(peer.connection.tenant_id, Principal.nobody(peer.connection.tenant_id)):
        keep_attempt(request, response, peer.provider, state=state, facts=kept)
    return response


def finish_step(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Confirm who is signed in, or show who arrived to who tries the provider out; lets nobody in.

    Open no scope around it. Raises ProviderNotFound, FederationRefused, AccessDenied, an AuthenticationError.
    """
    peer = find_peer(request, organization, slug)
    with tenant_scope(peer.connection.tenant_id, Principal.nobody(peer.connection.tenant_id)):
        kept = take_attempt(request, peer.provider, state=request.GET.get("state", ""))
    if "handed" not in kept:
        raise FederationRefused("Nothing was proved yet", reason="state")
    facts = json.loads(kept["handed"])
    arrival = _unpacked(facts["arrival"])
    if facts["act"] == TRY:
        keep_trial(request, peer.provider, arrival)
        return HttpResponseRedirect(reverse("admin:identity_provider", args=[peer.provider.pk]) + "#trial")
    confirm_arrival(request, peer.provider, arrival, user_id=facts["user"])
    return HttpResponseRedirect(landing(request, facts["wanted"]))


def _packed(arrival: Arrival, act: str) -> dict[str, Any]:
    proved = arrival.authenticated_at.isoformat() if arrival.authenticated_at else ""
    packed = {"issuer": arrival.issuer, "subject": arrival.subject, "mfa": arrival.mfa, "authenticated_at": proved}
    if act != TRY:
        return packed
    groups: list[str] = []
    for group in arrival.groups[:_MOST_GROUPS]:
        if sum(map(len, groups)) + len(group) <= _MOST_NAMES:
            groups.append(group)
    shown = {"username": arrival.username, "email": arrival.email, "full_name": arrival.full_name, "groups": groups}
    return packed | shown


def _unpacked(packed: dict[str, Any]) -> Arrival:
    proved, groups = packed.pop("authenticated_at"), tuple(packed.pop("groups", ()))
    return Arrival(**packed, groups=groups, authenticated_at=datetime.fromisoformat(proved) if proved else None)
