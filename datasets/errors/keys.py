"""Keys of datasets: 4481 to 4489."""

from vaultsite.kernel.errors import VaultError


class KeyRotationNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4481", "key-rotation-not-found", 404
    title = "No such key rotation"
