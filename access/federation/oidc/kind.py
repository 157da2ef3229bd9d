"""OpenID Connect as one kind of identity provider."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from access.federation.errors import ProviderUnavailable
from access.federation.oidc.discovery import Metadata
from access.federation.oidc.documents import documents, fetch
from access.federation.oidc.forms import OpenIDForm
from access.federation.oidc.party import arrival_of, ask_tokens, describe
from access.federation.oidc.tokens import usable_keys
from access.federation.ports import Arrival, Connection, CopiedValue, FederatedLogin, Federation, Finding
from access.federation.providers import connection_of
from access.models import IdentityProvider
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError

#: A code that no provider has given; it answers ``invalid_grant`` to a client whom it knows.
_NO_CODE: Final = "vault-connection-test"
_LONGEST_SAMPLE: Final = 64 * 1024


class OpenIDConnect(Federation):
    form = OpenIDForm
    attributes = MappingProxyType(
        {"username": "preferred_username", "email": "email", "full_name": "name", "groups": "groups"}
    )
    mfa_values = ("mfa",)
    secret_goes_to = ("issuer",)
    sample = "The claims of an ID token, as a JSON object"

    def sign_in_path(self, connection: Connection) -> str:
        return reverse("oidc_begin", args=[connection.tenant_slug, connection.slug])

    def sign_out_url(self, connection: Connection, login: FederatedLogin, return_url: str) -> str | None:
        if not connection.settings.get("signs_out"):
            return None
        endpoint = describe(connection).end_session_endpoint
        if not endpoint:
            return None
        query = {"client_id": str(connection.settings["client_id"]), "post_logout_redirect_uri": return_url}
        hint = {"id_token_hint": login.logout_hint} if login.logout_hint else {}
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(hint | query)

    def copied_values(self, connection: Connection, base_url: str) -> Sequence[CopiedValue]:
        named = [connection.tenant_slug, connection.slug]
        return (
            CopiedValue("Redirect URI", base_url + reverse("oidc_callback", args=named)),
            CopiedValue("Post-logout redirect URI", base_url + reverse("admin:login")),
            CopiedValue("Back-channel logout URI", base_url + reverse("oidc_logout", args=named)),
        )

    def test(self, connection: Connection) -> Sequence[Finding]:
        documents.forget(str(connection.settings["issuer"]))
        try:
            metadata = describe(connection)
        except VaultError as refusal:
            return (Finding(is_good=False, text=f"Its description cannot be used: {refusal.detail or refusal.title}"),)
        steps: tuple[Callable[[Connection, Metadata], Finding], ...] = (_flow, _algorithm, _keys, _client)
        found = [Finding(is_good=True, text="Its description names this issuer and the endpoints that are needed.")]
        return (*found, *(step(connection, metadata) for step in steps))

    def read_sample(self, provider: IdentityProvider, sample: str) -> Arrival:
        try:
            claims: Any = json.loads(sample[:_LONGEST_SAMPLE])
        except (ValueError, RecursionError):
            claims = None
        if not isinstance(claims, dict):
            raise InvalidInput(errors=[FieldProblem("sample", "Not a JSON object")])
        connection = connection_of(provider, secret=False)
        return arrival_of(connection, {"iss": connection.settings["issuer"]} | claims)


def _flow(_: Connection, metadata: Metadata) -> Finding:
    if metadata.response_types and "code" not in metadata.response_types:
        return Finding(is_good=False, text="It does not offer the authorization code flow.")
    if metadata.challenges and "S256" not in metadata.challenges:
        return Finding(is_good=False, text="It does not offer code challenges by SHA-256 (PKCE).")
    named = "and says that it checks code challenges" if metadata.challenges else "and says nothing of code challenges"
    return Finding(is_good=True, text=f"It offers the authorization code flow, {named}.")


def _algorithm(connection: Connection, metadata: Metadata) -> Finding:
    wanted = str(connection.settings["algorithm"])
    if metadata.algorithms and wanted not in metadata.algorithms:
        return Finding(is_good=False, text=f"It does not sign with {wanted}.")
    return Finding(is_good=True, text=f"It signs with {wanted}.")


def _keys(connection: Connection, metadata: Metadata) -> Finding:
    try:
        count = len(usable_keys(fetch(metadata.jwks_uri), str(connection.settings["algorithm"])))
    except ProviderUnavailable as refusal:
        return Finding(is_good=False, text=f"Its keys cannot be read: {refusal.detail or refusal.title}")
    return Finding(is_good=count > 0, text=f"Keys it may sign with so: {count}.")


def _client(connection: Connection, metadata: Metadata) -> Finding:
    """Whether it knows the client and its secret: it then refuses the code, else the client (RFC 6749, 5.2)."""
    form = {
        "grant_type": "authorization_code",
        "code": _NO_CODE,
        "redirect_uri": "https://localhost/",
        "code_verifier": "0" * 43,
        "client_id": str(connection.settings["client_id"]),
    }
    try:
        answer = ask_tokens(connection, metadata, form)
        error = str(answer.json().get("error", ""))
    except ProviderUnavailable as refusal:
        return Finding(is_good=False, text=f"Its token endpoint: {refusal.detail or refusal.title}")
    if answer.status == HTTPStatus.UNAUTHORIZED or error in {"invalid_client", "unauthorized_client"}:
        return Finding(is_good=False, text="It does not know this client ID, or the secret is another.")
    is_good = error == "invalid_grant"
    return Finding(is_good, "It knows this client." if is_good else "Whether it knows this client could not be told.")
