"""Errors of directories."""

from access.errors import AuthenticationError


class DirectoryUnavailable(AuthenticationError):
    """No server answered as it must: down, slow, a certificate that does not hold, or the vault's own account refused.

    Told alike for every name, known or not. ``reason`` is for administrators.
    """

    code, slug, status = "VAULT_AUTH_1340", "directory-unavailable", 503
    title = "The organization's directory does not answer; try again later"

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason
