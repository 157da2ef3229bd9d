"""Anonymizing datasets in place: 4510 to 4519."""

from vaultsite.kernel.errors import VaultError


class MaskingIncomplete(VaultError):
    """The branches show nothing of it any more, but an erasure of what was there before was refused or given up.

    ``codes`` says why; tried again it goes on from there.
    """

    code, slug, status = "VAULT_DATA_4510", "masking-incomplete", 409
    title = "What a dataset showed before it was anonymized could not all be erased"
