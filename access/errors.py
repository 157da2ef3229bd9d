"""Errors of authentication (1xxx) and authorization (2xxx)."""

from vaultsite.kernel.errors import VaultError


class AuthenticationError(VaultError):
    """Who asks is not proved."""

    status = 401
    outcome = "denied"


class AuthenticationRequired(AuthenticationError):
    code, slug = "VAULT_AUTH_1001", "authentication-required"
    title = "This resource needs a credential"


class InvalidCredential(AuthenticationError):
    """Malformed, unknown, or with a wrong secret: the three are not told apart."""

    code, slug = "VAULT_AUTH_1002", "invalid-credential"
    title = "The credential is not valid"


class CredentialExpired(AuthenticationError):
    """Told only to who knows the secret."""

    code, slug = "VAULT_AUTH_1003", "credential-expired"
    title = "The credential has expired"


class CredentialRevoked(AuthenticationError):
    """Told only to who knows the secret."""

    code, slug = "VAULT_AUTH_1004", "credential-revoked"
    title = "The credential was revoked"


class LoginRefused(AuthenticationError):
    """Unknown tenant, unknown or disabled user, or wrong password: the four are not told apart."""

    code, slug = "VAULT_AUTH_1005", "login-refused"
    title = "Organization, user name or password is wrong"


class TooManyAttempts(AuthenticationError):
    code, slug, status = "VAULT_AUTH_1006", "too-many-attempts", 429
    title = "Too many failed attempts; try again later"
    retry_after = 30


class SessionEnded(AuthenticationError):
    """The session of a cookie is over: signed out, expired, idle too long, or its user lost access."""

    code, slug = "VAULT_AUTH_1007", "session-ended"
    title = "The session has ended"


class PasswordChangeRequired(AuthenticationError):
    """The password of this session's user is known to somebody else: it opens nothing but the page to change it."""

    code, slug, status = "VAULT_AUTH_1008", "password-change-required", 403
    title = "Change your password in the browser first"


class AccessDenied(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2001", "access-denied", 403, "denied"
    title = "You may not do this"


class PurposeRequired(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2002", "purpose-required", 403, "denied"
    title = "Reading this needs a purpose (header X-Vault-Purpose)"


class UnknownPurpose(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2003", "unknown-purpose", 403, "denied"
    title = "The purpose is not in the registry of this tenant"


class GrantTooWide(VaultError):
    """Nobody gives what they do not have, nor a role to themselves."""

    code, slug, status, outcome = "VAULT_AUTHZ_2004", "grant-too-wide", 403, "denied"
    title = "You may not grant this"


class UserNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2005", "user-not-found", 404
    title = "There is no such user"


class ApiKeyNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2006", "api-key-not-found", 404
    title = "There is no such API key"


class BindingNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2007", "role-binding-not-found", 404
    title = "There is no such role binding"


class TenantNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2008", "tenant-not-found", 404
    title = "There is no such tenant"


class NameTaken(VaultError):
    code, slug, status = "VAULT_AUTHZ_2009", "name-taken", 409
    title = "This name is already in use"


class KeyNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2010", "key-not-found", 404
    title = "No such key"


class ActiveKey(VaultError):
    """A key that seals today cannot end; its successor must come first."""

    code, slug, status = "VAULT_AUTHZ_2011", "active-key", 409
    title = "The key is in active use: rotate it first"


class KeyInUse(VaultError):
    """``uses`` stored objects or keys would be unreadable."""

    code, slug, status = "VAULT_AUTHZ_2012", "key-in-use", 409
    title = "Stored objects can be opened by this key alone"


class SamePerson(VaultError):
    """What takes two people was asked for and confirmed by one."""

    code, slug, status, outcome = "VAULT_AUTHZ_2013", "same-person", 403, "denied"
    title = "Somebody else must confirm this"
