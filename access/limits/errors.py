"""Errors of rate limits."""

from vaultsite.kernel.errors import VaultError


class TooManyRequests(VaultError):
    """``policy`` names the limit that is used up; Retry-After says when one more request fits."""

    code, slug, status, outcome = "VAULT_AUTH_1260", "too-many-requests", 429, "denied"
    title = "Too many requests; try again later"
    retry_after = 1

    def __init__(self, detail: str = "", *, policy: str = "", seconds: int = 1) -> None:
        super().__init__(detail, policy=policy)
        self.retry_after = seconds  # type: ignore[misc]  # this error knows when
