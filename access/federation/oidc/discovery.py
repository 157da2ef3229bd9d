"""A provider's description of itself (OpenID Connect Discovery 1.0), checked before anything in it is used."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable
from access.federation.oidc.documents import documents
from access.federation.outgoing import require_allowed_url

_WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Metadata:
    """What the vault uses of the description. Endpoints the provider does not have are empty."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    client_auth: frozenset[str]
    algorithms: frozenset[str]
    response_types: frozenset[str]
    challenges: frozenset[str]
    names_itself: bool
    logs_out_by_backchannel: bool


def discover(issuer: str) -> Metadata:
    """The description that ``issuer`` publishes. Open no scope around it.

    Raises ProviderUnavailable: no answer, one that names another issuer, lacks an endpoint, or names one that is no
    https address; OutgoingAddressRefused.
    """
    told = documents.get(issuer.rstrip("/") + _WELL_KNOWN)
    if told.get("issuer") != issuer:
        raise ProviderUnavailable("Its description names another issuer", reason="issuer")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_page(told, "authorization_endpoint", is_needed=True),
        token_endpoint=_called(told, "token_endpoint", is_needed=True),
        jwks_uri=_called(told, "jwks_uri", is_needed=True),
        userinfo_endpoint=_called(told, "userinfo_endpoint"),
        end_session_endpoint=_page(told, "end_session_endpoint"),
        client_auth=_words(told, "token_endpoint_auth_methods_supported") or frozenset({"client_secret_basic"}),
        algorithms=_words(told, "id_token_signing_alg_values_supported"),
        response_types=_words(told, "response_types_supported"),
        challenges=_words(told, "code_challenge_methods_supported"),
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        logs_out_by_backchannel=told.get("backchannel_logout_supported") is True,
    )


def _called(told: dict[str, Any], name: str, *, is_needed: bool = False) -> str:
    """An endpoint that the vault itself calls."""
    url = _text(told, name, is_needed=is_needed)
    if url:
        require_allowed_url(url)
    return url


def _page(told: dict[str, Any], name: str, *, is_needed: bool = False) -> str:
    """An endpoint where browsers go, perhaps on a network that the vault does not reach."""
    url = _text(told, name, is_needed=is_needed)
    parts = urlsplit(url)
    if url and (parts.scheme != "https" or not parts.hostname or not url.isprintable()):
        try:
            require_allowed_url(url)
        except OutgoingAddressRefused:
            raise ProviderUnavailable(f"Its {name} is no https address", reason="description") from None
    return url


def _text(told: dict[str, Any], name: str, *, is_needed: bool) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or (is_needed and not value):
        raise ProviderUnavailable(f"Its description has no {name}", reason="description")
    return value


def _words(told: dict[str, Any], name: str) -> frozenset[str]:
    value = told.get(name, [])
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
