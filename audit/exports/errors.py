"""Errors of exports of the audit: VAULT_AUDIT_7030 to 7039."""

from vaultsite.kernel.errors import VaultError


class AuditExportNotFound(VaultError):
    """There is no such export, or somebody else asked for it."""

    code, slug, status = "VAULT_AUDIT_7030", "audit-export-not-found", 404
    title = "There is no such export of the audit"
    outcome = "denied"


class AuditExportNotReady(VaultError):
    """The file is still being written, or its writing failed; ``status_of_export`` says which."""

    code, slug, status = "VAULT_AUDIT_7031", "audit-export-not-ready", 409
    title = "The export of the audit has no file"


class AuditExportExpired(VaultError):
    """The file was removed, because its time was over or somebody took it back."""

    code, slug, status = "VAULT_AUDIT_7032", "audit-export-expired", 410
    title = "The file of this export is gone"


class NothingSealed(VaultError):
    """An export holds what is sealed; the first checkpoint follows the first event within seconds."""

    code, slug, status = "VAULT_AUDIT_7033", "nothing-sealed", 409
    title = "There is nothing sealed to export yet"
    retry_after = 5


class TooManyAuditExports(VaultError):
    """A person's unfinished exports are limited; wait for one, or take one back."""

    code, slug, status = "VAULT_AUDIT_7034", "too-many-audit-exports", 429
    title = "Too many exports of the audit are under way"
    retry_after = 60


class DamagedAudit(VaultError):
    """What is stored is not what was sealed: nothing is exported from a log that is damaged (``seq``, ``damage``)."""

    code, slug, status = "VAULT_AUDIT_7037", "damaged-audit", 500
    title = "The log of the audit is damaged: nothing is exported from it"


class SavedViewNotFound(VaultError):
    """There is no such saved search, or it is somebody else's."""

    code, slug, status = "VAULT_AUDIT_7035", "saved-view-not-found", 404
    title = "There is no such saved search"
    outcome = "denied"


class SavedViewExists(VaultError):
    """A person's saved searches have different names."""

    code, slug, status = "VAULT_AUDIT_7036", "saved-view-exists", 409
    title = "You have a saved search of this name"
