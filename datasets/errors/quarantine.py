"""Errors of rescans and of what is in quarantine."""

from vaultsite.kernel.errors import VaultError


class RescanNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4601", "rescan-not-found", 404
    title = "There is no such rescan"
    outcome = "denied"


class VersionQuarantined(VaultError):
    code, slug, status = "VAULT_DATA_4602", "version-quarantined", 409
    title = "The version is in quarantine: nobody reads it until it is released"


class NotQuarantined(VaultError):
    code, slug, status = "VAULT_DATA_4603", "not-quarantined", 409
    title = "The version is not in quarantine"


class QuarantinedRecordNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4604", "quarantined-record-not-found", 404
    title = "There is no such record in quarantine"
    outcome = "denied"


class RecordDecided(VaultError):
    code, slug, status = "VAULT_DATA_4605", "quarantined-record-decided", 409
    title = "The record was restored, discarded or erased already"


class StillUnscannable(VaultError):
    code, slug, status = "VAULT_DATA_4606", "still-unscannable", 409
    title = "The record still cannot be scanned, or may not be stored"


class OwnQuarantine(VaultError):
    """Who had a hand in a version, or put it into quarantine, does not let readers have it again."""

    code, slug, status = "VAULT_DATA_4607", "own-quarantine", 403
    title = "Somebody else releases the version"
    outcome = "denied"
