"""Errors of the Merkle log: VAULT_AUDIT_7010 to 7019."""

from typing import Final

from vaultsite.kernel.errors import VaultError


class InconsistentLog(VaultError):
    """The stored log does not extend what was signed before: nothing is signed until somebody has looked at it."""

    code, slug, status = "VAULT_AUDIT_7010", "inconsistent-log", 500
    title = "The log of the audit contradicts what was signed before"


class SigningKeyUnavailable(VaultError):
    """The audit's signing key cannot be read, or is not the one that signed before."""

    code, slug, status = "VAULT_AUDIT_7011", "signing-key-unavailable", 503
    title = "The signing key of the audit cannot be used"
    retry_after = 60


class MissingHashes(VaultError):
    """A leaf or a tile is gone: somebody removed it past the vault."""

    code, slug, status = "VAULT_AUDIT_7012", "missing-hashes", 500
    title = "The log of the audit has a gap"


class WitnessUnavailable(VaultError):
    """Nothing is lost: what the witness did not take is offered again."""

    code, slug, status = "VAULT_AUDIT_7013", "witness-unavailable", 503
    title = "A witness of the audit did not answer"
    retry_after = 60


class WitnessConflict(VaultError):
    """The witness holds another checkpoint of the same log and size: one of the two is forged, or a copy went on."""

    code, slug, status = "VAULT_AUDIT_7014", "witness-conflict", 500
    title = "A witness of the audit holds another checkpoint of this size"


#: What only somebody who changed the database or a witness can have caused.
TAMPERED: Final = (InconsistentLog, MissingHashes, WitnessConflict)
