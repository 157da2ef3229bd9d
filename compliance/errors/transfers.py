"""Errors of transfers: VAULT_COMP_8220 to 8229."""

from vaultsite.kernel.errors import VaultError


class RecipientMissing(VaultError):
    """Where regions cover countries, records leave to somebody whom the register knows."""

    code, slug, status = "VAULT_COMP_8220", "recipient-missing", 422
    title = "Say who receives the records: a party of the register"


class TransferRefused(VaultError):
    """Nothing covers the way out of the dataset's region; ``reason`` says what is missing."""

    code, slug, status = "VAULT_COMP_8221", "transfer-refused", 403
    title = "The records may not leave the region of the dataset for this recipient"
    outcome = "denied"
