"""mozilla-django-oidc's code flow, with every decision about trust made here.

Its parent checks neither ``aud`` nor ``iss``, takes a client secret for a key, fetches keys at every sign-in without a
timeout, and finds users by e-mail address. What is left of it is the order of the flow: code, tokens, claims, user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from access.federation.errors import FederationRefused
from access.federation.oidc.party import RelyingParty, arrival_of, ask_tokens, read_tokens, read_userinfo
from access.federation.oidc.tokens import read_id_token
from access.federation.ports import Arrival

#: Where the relying party of a sign-in under way is kept in its request.
PARTY: Final = "vault_relying_party"


@dataclass
class Vouched:
    """Somebody for whom the provider vouches: stands where Django expects a user, and is none yet."""

    arrival: Arrival
    id_token: str
    is_active: bool = True
    backend: str = ""


class OpenIDBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Answers the callback view alone, which has put the relying party of this one sign-in into the request."""

    def __init__(self) -> None:
        # Not the parent's: its settings are those of the process, ours are the provider's.
        BaseBackend.__init__(self)

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> Vouched | None:
        """Raises FederationRefused, ProviderUnavailable; None for whom somebody else has to authenticate."""
        party: RelyingParty | None = getattr(request, PARTY, None)
        if party is None:
            return None
        self._party = party
        self.OIDC_RP_CLIENT_ID, self.OIDC_RP_CLIENT_SECRET = party.client_id, party.connection.secret
        vouched: Vouched | None = super().authenticate(request, **kwargs)
        return vouched

    def get_settings(self, attr: str, *args: Any) -> Any:
        """The parent's settings: it reverses a path without arguments, and its redirect URI is replaced below."""
        return {"OIDC_AUTHENTICATION_CALLBACK_URL": "admin:login"}.get(attr, args[0] if args else None)

    def get_token(self, payload: Mapping[str, str]) -> dict[str, Any]:
        form = {**payload, "redirect_uri": self._party.redirect_uri}
        self._tokens = read_tokens(ask_tokens(self._party.connection, self._party.metadata, form))
        return self._tokens

    def verify_token(self, token: Any, **kwargs: Any) -> dict[str, Any]:
        if kwargs.get("nonce") != self._party.asked.nonce:
            raise FederationRefused("The nonce is another", reason="nonce")
        return read_id_token(token, self._party.trust, self._party.asked, access_token=self._tokens.get("access_token"))

    def store_tokens(self, access_token: Any, id_token: Any) -> None:
        """Nothing of them is kept but what ends the provider's session: see the view."""

    def get_or_create_user(self, access_token: Any, id_token: str, payload: dict[str, Any]) -> Vouched:
        told: dict[str, Any] = {}
        if self._party.connection.settings.get("asks_userinfo") and self._party.metadata.userinfo_endpoint:
            told = read_userinfo(self._party, access_token, payload["sub"])
        return Vouched(arrival_of(self._party.connection, told | payload), id_token)

    def get_user(self, user_id: Any) -> None:
        """Sessions belong to the vault's own backend."""
