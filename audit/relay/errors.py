"""Errors of the relay: VAULT_AUDIT_7040 to 7049."""

from vaultsite.kernel.errors import VaultError


class DeadLetterNotFound(VaultError):
    """There is none of that id in this tenant."""

    code, slug, status = "VAULT_AUDIT_7040", "dead-letter-not-found", 404
    title = "There is no such dead letter"
    outcome = "denied"


class DeadLetterReplayed(VaultError):
    """It waits for the broker again, or has reached it; were it refused once more, there would be a new one."""

    code, slug, status = "VAULT_AUDIT_7041", "dead-letter-replayed", 409
    title = "The dead letter was replayed already"
