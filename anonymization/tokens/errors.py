"""Tokens: 6030 to 6049."""

from vaultsite.kernel.errors import VaultError


class ScopeTooWide(VaultError):
    """A token that stays the same for a value tells who is who, and must not beyond one dataset and purpose."""

    code, slug, status = "VAULT_ANON_6030", "token-scope-too-wide", 422
    title = "Deterministic and format-preserving tokens need a dataset and a purpose as their scope"


class DomainTooSmall(VaultError):
    """Whoever can try all values of a small domain needs no key to turn its tokens back."""

    code, slug, status = "VAULT_ANON_6031", "token-domain-too-small", 422
    title = "The value is one of fewer than a million possible ones"


class ValueTooFrequent(VaultError):
    """A value that stands out by its frequency is recognized by it, whatever its token looks like."""

    code, slug, status = "VAULT_ANON_6032", "token-value-too-frequent", 422
    title = "One value has more than a hundredth of all occurrences in this scope"


class FormatMismatch(VaultError):
    code, slug, status = "VAULT_ANON_6033", "token-format-mismatch", 422
    title = "The value does not have the format its token shall keep"


class TokenUnknown(VaultError):
    """There is no such token in this scope; whether there is one in another is not told."""

    code, slug, status = "VAULT_ANON_6034", "token-unknown", 404
    title = "No such token in this scope"


class TokenExpired(VaultError):
    code, slug, status = "VAULT_ANON_6035", "token-expired", 410
    title = "The token has expired"


class TokensExhausted(VaultError):
    code, slug, status = "VAULT_ANON_6036", "tokens-exhausted", 409
    title = "No free token of this format was found"


class PurposeMismatch(VaultError):
    """Tokens of one purpose are not made or revealed by a request for another."""

    code, slug, status = "VAULT_ANON_6037", "token-purpose-mismatch", 403
    title = "The scope names another purpose than the request"
    outcome = "denied"


class TokenSpaceNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6038", "token-scope-not-found", 404
    title = "No such token scope"
    outcome = "denied"


class TooManyUnknownTokens(VaultError):
    """Somebody who asks for tokens that do not exist is guessing."""

    code, slug, status = "VAULT_ANON_6039", "too-many-unknown-tokens", 429
    title = "Too many unknown tokens were asked for"
    retry_after = 3600
    outcome = "denied"
