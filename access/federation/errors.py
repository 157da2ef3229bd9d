"""Errors of signing in at an identity provider."""

from access.errors import AuthenticationError
from vaultsite.kernel.errors import VaultError


class FederationRefused(AuthenticationError):
    """What the browser brought from a provider does not hold. ``reason`` is one word for it, told to the audit too."""

    code, slug, status = "VAULT_AUTH_1310", "federated-sign-in-refused", 403
    title = "The sign-in at your organization's identity provider does not hold"


class NoAccount(AuthenticationError):
    """The provider vouches for somebody who has no account here, a disabled one, or one without a role."""

    code, slug, status = "VAULT_AUTH_1311", "no-account", 403
    title = "You have no access to this vault; ask whoever administers it in your organization"


class ProviderUnavailable(VaultError):
    """The provider did not answer, or not as it should. ``reason`` as in FederationRefused."""

    code, slug, status = "VAULT_AUTH_1312", "identity-provider-unavailable", 503
    title = "The identity provider does not answer as it should; try again later"
    retry_after = 30


class ProviderNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1313", "identity-provider-not-found", 404
    title = "There is no such identity provider"


class IdentityTaken(VaultError):
    """An identity is one person's."""

    code, slug, status = "VAULT_AUTH_1314", "identity-taken", 409
    title = "This identity belongs to another user"


class OutgoingAddressRefused(VaultError):
    """The vault calls public addresses, and the private ones that the installation allows (``outgoing_networks``)."""

    code, slug, status = "VAULT_AUTH_1315", "outgoing-address-refused", 400
    title = "The vault may not call this address"


class LogoutRefused(AuthenticationError):
    """A logout token that does not hold (OpenID Connect Back-Channel Logout 1.0, 2.8)."""

    code, slug, status = "VAULT_AUTH_1316", "logout-token-refused", 400
    title = "The logout token does not hold"


class MappingNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1317", "group-mapping-not-found", 404
    title = "There is no such mapping"


class IdentityNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1318", "identity-not-found", 404
    title = "There is no such identity"


class KindNotInstalled(VaultError):
    """A package that the kind needs is not installed here."""

    code, slug, status = "VAULT_AUTH_1341", "identity-provider-kind-not-installed", 409
    title = "Identity providers of this kind need a package that is not installed"
