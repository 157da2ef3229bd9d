"""The record tree: 4201 to 4299."""

from vaultsite.kernel.errors import VaultError


class CorruptTree(VaultError):
    """A stored object of a tree is not what its digest or format says: rot or tampering, never a user's fault."""

    code, slug, status = "VAULT_DATA_4201", "corrupt-tree", 500
    title = "A stored part of a version is damaged"


class TreeObjectMissing(VaultError):
    code, slug, status = "VAULT_DATA_4202", "tree-object-missing", 500
    title = "A stored part of a version is missing"


class InvalidProof(VaultError):
    code, slug, status = "VAULT_DATA_4203", "invalid-proof", 400
    title = "The inclusion proof does not lead from the record to the root"
