"""Errors of the audit: VAULT_AUDIT_7xxx."""

from vaultsite.kernel.errors import VaultError


class UnrecordableEvent(VaultError):
    """An emitter put something into an event that has no JSON form: a defect, and the operation is undone."""

    code, slug, status = "VAULT_AUDIT_7001", "unrecordable-event", 500
    title = "An event could not be written down"


class BrokerUnavailable(VaultError):
    """Nothing is lost: what was not delivered stays in the outbox."""

    code, slug, status = "VAULT_AUDIT_7002", "broker-unavailable", 503
    title = "Events could not be handed to the message broker"
    retry_after = 2
