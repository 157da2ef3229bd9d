"""The vault as one provider's relying party: what is asked, of whom, and how the answer is read."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

from access.federation.errors import FederationRefused, ProviderUnavailable
from access.federation.mapping import read_arrival
from access.federation.oidc.discovery import Metadata, discover
from access.federation.oidc.tokens import Asked, Trust, moment
from access.federation.outgoing import Answer, call
from access.federation.ports import Arrival, Connection


@dataclass(frozen=True)
class RelyingParty:
    """Made anew for each sign-in. ``redirect_uri`` is this provider's alone: no other's answer arrives there."""

    connection: Connection
    metadata: Metadata
    redirect_uri: str
    asked: Asked

    @property
    def client_id(self) -> str:
        return str(self.connection.settings["client_id"])

    @property
    def trust(self) -> Trust:
        return trust_of(self.connection, self.metadata)


def trust_of(connection: Connection, metadata: Metadata) -> Trust:
    """Whose tokens are believed for a provider."""
    settings = connection.settings
    return Trust(metadata.issuer, str(settings["client_id"]), str(settings["algorithm"]), metadata.jwks_uri)


def describe(connection: Connection) -> Metadata:
    """The provider's description of itself. Raises ProviderUnavailable, OutgoingAddressRefused."""
    return discover(str(connection.settings["issuer"]))


def ask_tokens(connection: Connection, metadata: Metadata, form: Mapping[str, str]) -> Answer:
    """What the token endpoint answers to ``form``, the vault being authenticated (RFC 6749, 2.3.1; RFC 7636).

    A vault without a secret is a public client, which the code verifier protects.
    """
    client_id, secret = str(connection.settings["client_id"]), connection.secret
    body, headers = dict(form), dict[str, str]()
    if secret and "client_secret_basic" in metadata.client_auth:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        body.pop("client_id", None)
        body.pop("client_secret", None)
    else:
        body |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
    return call("POST", metadata.token_endpoint, headers=headers, form=body)


def read_tokens(answer: Answer) -> dict[str, Any]:
    """The tokens in an answer of the token endpoint. Raises FederationRefused (the code or the vault was refused)."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderUnavailable("Its token endpoint failed", reason="answer")
    if answer.status != HTTPStatus.OK:
        raise FederationRefused("The provider refused the code", reason="code")
    return answer.json()


def read_userinfo(party: RelyingParty, access_token: object, subject: str) -> dict[str, Any]:
    """What the userinfo endpoint tells of ``subject``, and of nobody else (OpenID Connect Core 1.0, 5.3.2)."""
    if not isinstance(access_token, str) or not access_token.isprintable() or not access_token.isascii():
        raise FederationRefused("The provider gave no access token", reason="userinfo")
    answer = call("GET", party.metadata.userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"})
    if answer.status != HTTPStatus.OK or answer.content_type != "application/json":
        raise ProviderUnavailable("Its userinfo endpoint failed", reason="answer")
    told = answer.json()
    if told.get("sub") != subject:
        raise FederationRefused("The userinfo is of somebody else", reason="userinfo_sub")
    return told


def arrival_of(connection: Connection, claims: Mapping[str, Any]) -> Arrival:
    """Who arrives with those verified claims. An e-mail address that the provider has not verified is left out."""
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    described = {
        name: value for name, value in claims.items() if name != "email" or claims.get("email_verified") is True
    }
    methods = claims.get("amr")
    shown = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    session = claims.get("sid")
    return read_arrival(
        connection.attributes,
        described,
        issuer=issuer,
        subject=subject,
        mfa=bool(connection.mfa_values & (shown | {str(claims.get("acr", ""))})),
        authenticated_at=moment(claims.get("auth_time")),
        session_index=session if isinstance(session, str) else "",
    )
