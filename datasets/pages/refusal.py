"""A form that is posted to its own page: what the service refuses is said there, and nothing of it stays."""

from collections.abc import Callable

from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.scope import current_scope


def refusal_of(change: Callable[[], object]) -> VaultError | None:
    """Do ``change``; None when it was done, else why not. What is no matter of the form is raised as it is."""
    try:
        change()
    except VaultError as refusal:
        if refusal.status >= 500 or refusal.outcome == "denied":  # noqa: PLR2004 - not the user's to mend
            raise
        current_scope().fail(refusal)
        return refusal
    return None
