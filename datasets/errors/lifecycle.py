"""Archive, deletion, purge and quotas: 4321 to 4339."""

from vaultsite.kernel.errors import VaultError


class DatasetArchived(VaultError):
    """An archived dataset is read, not written, until it is restored."""

    code, slug, status = "VAULT_DATA_4321", "dataset-archived", 409
    title = "The dataset is archived"


class NothingToRestore(VaultError):
    code, slug, status = "VAULT_DATA_4322", "nothing-to-restore", 409
    title = "The dataset is neither archived nor deleted"


class QuotaExceeded(VaultError):
    """``quota`` says which one (bytes, datasets, records), ``limit`` and ``used`` how much, ``asked`` how much more."""

    code, slug, status = "VAULT_DATA_4323", "quota-exceeded", 409
    title = "The organization may not keep more"


class DatasetKept(VaultError):
    """Law or contract asks for it until ``keep_until``: ``legal_basis`` says which."""

    code, slug, status = "VAULT_DATA_4325", "dataset-kept", 409
    title = "The dataset must be kept for longer"


class PurgeNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4324", "purge-not-found", 404
    title = "No such purge"
    outcome = "denied"
