"""OAuth 2.0 client credentials (RFC 6749 section 4.4): a service account is a client, its API keys are its secrets.

The client id names the tenant, as every credential does: ``ldc_<tenant>_<service account>``, each in base 62.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

from oauthlib.common import Request
from oauthlib.oauth2 import OAuth2Error, RequestValidator
from oauthlib.oauth2.rfc6749 import errors as oauth
from oauthlib.oauth2.rfc6749.grant_types import ClientCredentialsGrant

from access.auth import base62
from access.auth.errors import (
    ClientRefused,
    MalformedTokenRequest,
    ScopeRefused,
    TokenRequestError,
    UnsupportedGrant,
)
from access.policy.scopes import KNOWN, parse_scopes
from vaultsite.kernel.tenancy.principal import Principal

_PREFIX: Final = "ldc"
_UUID_BYTES: Final = 16
_LONGEST: Final = 1024

#: Proves a client: the secret it gave (None: none, a certificate may do) -> the principal, or None.
Prove = Callable[[str | None], Principal | None]


@dataclass(frozen=True)
class ClientId:
    """A client id taken apart; well-formed, nothing proved."""

    tenant_id: UUID
    account_id: UUID

    @classmethod
    def parse(cls, text: str) -> "ClientId":
        """Raises ClientRefused."""
        try:
            prefix, tenant, account = text.split("_")
            if prefix != _PREFIX:
                raise ClientRefused
            return cls(UUID(bytes=base62.decode(tenant, _UUID_BYTES)), UUID(bytes=base62.decode(account, _UUID_BYTES)))
        except ValueError:
            raise ClientRefused from None

    def __str__(self) -> str:
        return "_".join([_PREFIX, base62.encode(self.tenant_id.bytes), base62.encode(self.account_id.bytes)])


@dataclass(frozen=True)
class TokenRequest:
    """What was posted to the token endpoint: its members in order, and the Authorization header if there was one."""

    members: Sequence[tuple[str, str]]
    authorization: str | None = None

    def client(self) -> tuple[str, str | None]:
        """The client id and the secret, from the header or from the body but not from both (RFC 6749 section 2.3).

        Raises ClientRefused, MalformedTokenRequest.
        """
        given = dict(self.members)
        stated, secret = given.get("client_id", ""), given.get("client_secret")
        if self.authorization is None:
            return stated, secret
        client_id, password = _read_basic(self.authorization)
        if secret is not None or stated not in ("", client_id):
            raise MalformedTokenRequest("The client is named twice")
        return client_id, password


def prove_client(request: TokenRequest, prove: Prove) -> tuple[Principal, list[str]]:
    """The client's principal and the scopes it asks for. The protocol is oauthlib's, the judgement is ``prove``'s.

    Raises ClientRefused, ScopeRefused, UnsupportedGrant, MalformedTokenRequest.
    """
    validator = _Validator(request, prove)
    posted = Request("/token", "POST", body=list(request.members))  # no query: nothing of it counts
    try:
        ClientCredentialsGrant(validator).validate_token_request(posted)
    except OAuth2Error as refusal:
        raise _REFUSALS.get(type(refusal), MalformedTokenRequest) from None
    assert validator.principal is not None
    return validator.principal, list(posted.scopes)


class _Validator(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """oauthlib's questions about one request."""

    def __init__(self, request: TokenRequest, prove: Prove) -> None:
        super().__init__()
        self._request = request
        self._prove = prove
        self.principal: Principal | None = None
        self.client_id = ""

    def authenticate_client(self, request: Any, *_: Any, **__: Any) -> bool:
        self.client_id, secret = self._request.client()
        self.principal = self._prove(secret)
        request.client, request.client_id = self, self.client_id
        return self.principal is not None

    def validate_grant_type(self, _client_id: str, grant_type: str, *_: Any, **__: Any) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        return []

    def validate_scopes(self, _client_id: str, scopes: list[str], _client: Any, request: Any, **__: Any) -> bool:
        request.scopes = parse_scopes(" ".join(scopes))
        return set(request.scopes) <= KNOWN


_REFUSALS: Final[dict[type[Exception], type[TokenRequestError]]] = {
    oauth.InvalidClientError: ClientRefused,
    oauth.InvalidScopeError: ScopeRefused,
    oauth.UnsupportedGrantTypeError: UnsupportedGrant,
    oauth.UnauthorizedClientError: UnsupportedGrant,
    oauth.InvalidRequestError: MalformedTokenRequest,
}


def _read_basic(header: str) -> tuple[str, str]:
    """User and password of HTTP Basic (RFC 7617), each form-encoded as RFC 6749 asks. Raises ClientRefused."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > _LONGEST:
        raise ClientRefused
    try:
        user, separator, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise ClientRefused from None
    if not separator:
        raise ClientRefused
    return unquote_plus(user), unquote_plus(password)
