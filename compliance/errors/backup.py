"""Errors of backup and restore: VAULT_COMP_8200 to 8219."""

from vaultsite.kernel.errors import VaultError


class BackupKeyUnusable(VaultError):
    """The file is not a backup key, others may read it, or it is not the key of this repository."""

    code, slug, status = "VAULT_COMP_8200", "backup-key-unusable", 400
    title = "The backup key cannot be used"


class BackupDamaged(VaultError):
    """A file of the repository is missing, cut off, exchanged or changed: nothing of it is used."""

    code, slug, status = "VAULT_COMP_8201", "backup-damaged", 500
    title = "The backup is damaged"


class RestoreTargetInUse(VaultError):
    """A restore goes into an empty vault only, or goes on with the restore that was begun there."""

    code, slug, status = "VAULT_COMP_8202", "restore-target-in-use", 409
    title = "The target of the restore is not empty"


class BackupNotFound(VaultError):
    """The repository holds no finished backup, or not the one that was named."""

    code, slug, status = "VAULT_COMP_8203", "backup-not-found", 404
    title = "There is no such backup"
    outcome = "denied"


class ReplayRefused(VaultError):
    """What was erased after the backup cannot be erased again: the vault stays closed."""

    code, slug, status = "VAULT_COMP_8204", "replay-refused", 409
    title = "What was erased since the backup is not erased in the restored vault"


class DumpFiltered(VaultError):
    """Row-level security would hide rows from the dump: a backup of a part must not pass for one of the whole."""

    code, slug, status = "VAULT_COMP_8205", "dump-filtered", 500
    title = "The role that makes the backup does not see every row"


class DatabaseProgramFailed(VaultError):
    """pg_dump or pg_restore is missing or ended with a failure."""

    code, slug, status = "VAULT_COMP_8206", "database-program-failed", 500
    title = "A program of the database failed"


class BackupOutsideRegion(VaultError):
    """The repository stands in another region than the database and the objects that it would hold."""

    code, slug, status = "VAULT_COMP_8208", "backup-outside-region", 409
    title = "The repository of backups stands in another region"


class StoreIncomplete(VaultError):
    """The store of a region has lost objects that rows name: nothing is removed from its replica meanwhile."""

    code, slug, status = "VAULT_COMP_8209", "store-incomplete", 409
    title = "The store lacks objects that it must hold"


class RepositoryBusy(VaultError):
    """One at a time writes to a repository."""

    code, slug, status = "VAULT_COMP_8207", "backup-repository-busy", 409
    title = "Another backup is being written to this repository"
