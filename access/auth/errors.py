"""Errors of credentials: keys, tokens, certificates, and what they may be used for."""

from typing import ClassVar

from access.errors import AuthenticationError
from vaultsite.kernel.errors import VaultError


class TokenForAnotherSurface(AuthenticationError):
    """Told only of tokens whose signature holds."""

    code, slug = "VAULT_AUTH_1240", "token-for-another-surface"
    title = "This token was issued for another surface of the vault"


class RefreshTokenReused(AuthenticationError):
    """Two hold one refresh token: everything that descends from it has ended."""

    code, slug = "VAULT_AUTH_1241", "refresh-token-reused"
    title = "This refresh token was used before; sign in again"


class AddressRefused(AuthenticationError):
    """Told only to who knows the secret."""

    code, slug, status = "VAULT_AUTH_1242", "address-refused", 403
    title = "This credential may not be used from this address"


class TenantMismatch(AuthenticationError):
    """A request names another organization than its credential, which is the only one that counts."""

    code, slug, status = "VAULT_AUTH_1243", "tenant-mismatch", 403
    title = "The request names another organization than its credential"


class TokenRequestError(AuthenticationError):
    """A refusal of the token endpoint; ``error`` is the word of RFC 6749 section 5.2 for it."""

    error: ClassVar[str] = ""
    status = 400

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, error=self.error)


class UnsupportedGrant(TokenRequestError):
    code, slug, error = "VAULT_AUTH_1244", "unsupported-grant", "unsupported_grant_type"
    title = "There is no such way to a token"


class ClientRefused(TokenRequestError):
    """Unknown or disabled client, and a wrong, expired or revoked secret: not told apart."""

    code, slug, status, error = "VAULT_AUTH_1245", "client-refused", 401, "invalid_client"
    title = "The client could not be authenticated"


class ScopeRefused(TokenRequestError):
    code, slug, error = "VAULT_AUTH_1246", "scope-refused", "invalid_scope"
    title = "A scope is not known, or not this credential's"


class MalformedTokenRequest(TokenRequestError):
    code, slug, error = "VAULT_AUTH_1247", "malformed-token-request", "invalid_request"
    title = "The token request is not complete, or says something twice"


class CertificateRefused(AuthenticationError):
    """Unreadable, outside its validity, not enrolled, or of a disabled account: not told apart."""

    code, slug = "VAULT_AUTH_1248", "certificate-refused"
    title = "The client certificate is not accepted"


class ServiceAccountNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1250", "service-account-not-found", 404
    title = "There is no such service account"


class CertificateNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1251", "certificate-not-found", 404
    title = "There is no such client certificate"


class KeyAlreadyRotated(VaultError):
    """A key has at most one successor."""

    code, slug, status = "VAULT_AUTH_1252", "key-already-rotated", 409
    title = "This key has a successor already; rotate that one"


class KeyEnded(VaultError):
    code, slug, status = "VAULT_AUTH_1253", "key-ended", 409
    title = "An expired or revoked key has no successor"
