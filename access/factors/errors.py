"""What second factors and stepping up refuse."""

from access.errors import AuthenticationError


class SecondFactorRequired(AuthenticationError):
    """The password held, and alone it opens nothing: the user has a second factor, or a rule asks for one."""

    code, slug, status = "VAULT_AUTH_1200", "second-factor-required", 403
    title = "Finish signing in with your second factor in the browser first"


class StepUpRequired(AuthenticationError):
    """What is asked for is sensitive, and the last proof of who asks is too old (RFC 9470 in spirit)."""

    code, slug, status = "VAULT_AUTH_1201", "step-up-required", 403
    title = "Confirm that it is you first"


class FactorRefused(AuthenticationError):
    """A wrong, used or outdated code, or a security key that does not hold: which of them is not told."""

    code, slug = "VAULT_AUTH_1202", "factor-refused"
    title = "This did not confirm that it is you"


class FactorNotFound(AuthenticationError):
    code, slug, status = "VAULT_AUTH_1203", "factor-not-found", 404
    outcome = "failure"
    title = "You have no such second factor"


class LastFactor(AuthenticationError):
    """A rule asks this user for a second factor, and this is the last one."""

    code, slug, status = "VAULT_AUTH_1204", "last-factor", 409
    outcome = "failure"
    title = "You need a second factor: add another one first"


class SecurityKeysUnavailable(AuthenticationError):
    """Browsers bind security keys to a host name; this address is not the configured one, or not safe."""

    code, slug, status = "VAULT_AUTH_1205", "security-keys-unavailable", 409
    outcome = "failure"
    title = "Security keys do not work under this address"


class SessionNotFound(AuthenticationError):
    code, slug, status = "VAULT_AUTH_1206", "session-not-found", 404
    outcome = "failure"
    title = "There is no such session"


class TooManyFactors(AuthenticationError):
    code, slug, status = "VAULT_AUTH_1207", "too-many-factors", 409
    outcome = "failure"
    title = "You have as many second factors as one may have: remove one first"
