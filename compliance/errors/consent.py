"""Errors of consent, purposes and the register: VAULT_COMP_8110 to 8139."""

from vaultsite.kernel.errors import VaultError


class ConsentNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_COMP_8110", "consent-not-found", 404
    title = "There is no such consent"
    outcome = "denied"


class ConsentWithdrawn(VaultError):
    """Withdrawn already; or what is to be recorded was given before the same person withdrew."""

    code, slug, status = "VAULT_COMP_8111", "consent-withdrawn", 409
    title = "The person has withdrawn this consent"


class ImportRefused(VaultError):
    """Nothing of the file was taken; ``errors`` names the lines, never what stands in them."""

    code, slug, status = "VAULT_COMP_8112", "consent-import-refused", 422
    title = "Some lines of the file are no consents"


class PurposeNotFound(VaultError):
    """There is none of this code."""

    code, slug, status = "VAULT_COMP_8113", "purpose-not-found", 404
    title = "There is no such purpose"
    outcome = "denied"


class PurposeTaken(VaultError):
    """A code names one purpose for good: consents and decisions refer to it."""

    code, slug, status = "VAULT_COMP_8114", "purpose-taken", 409
    title = "There is a purpose with this code"


class ConsentTaskNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_COMP_8115", "consent-task-not-found", 404
    title = "There is no such task"
    outcome = "denied"


class ConsentTaskDecided(VaultError):
    """A decision stands."""

    code, slug, status = "VAULT_COMP_8116", "consent-task-decided", 409
    title = "The task is decided already"
