"""Errors of proofs and of the verification: VAULT_AUDIT_7020 to 7029."""

from vaultsite.kernel.errors import VaultError


class AuditEventNotFound(VaultError):
    """There is no such event, or it is another organization's."""

    code, slug, status = "VAULT_AUDIT_7020", "audit-event-not-found", 404
    title = "There is no such event in the audit"
    outcome = "denied"


class EventNotSealed(VaultError):
    """The event is recorded, and the log has not taken it yet, or no checkpoint covers it: seconds, as a rule."""

    code, slug, status = "VAULT_AUDIT_7021", "event-not-sealed", 409
    title = "The event has no proof yet"
    retry_after = 5


class ProofBroken(VaultError):
    """What is stored does not lead to what was signed: verify the audit, and find out who wrote past the vault."""

    code, slug, status = "VAULT_AUDIT_7022", "proof-broken", 500
    title = "The log of the audit cannot prove this"


class CheckpointNotFound(VaultError):
    """No checkpoint of this size was signed, or none at all yet."""

    code, slug, status = "VAULT_AUDIT_7023", "checkpoint-not-found", 404
    title = "There is no such checkpoint"


class VerificationUnderWay(VaultError):
    """One verification of an organization's log at a time."""

    code, slug, status = "VAULT_AUDIT_7024", "verification-under-way", 409
    title = "The audit is being verified already"


class VerificationNotFound(VaultError):
    """There is no such run, or it is another organization's."""

    code, slug, status = "VAULT_AUDIT_7025", "verification-not-found", 404
    title = "There is no such verification"
    outcome = "denied"
