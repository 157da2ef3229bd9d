"""Errors of the register: VAULT_COMP_8130 to 8139."""

from vaultsite.kernel.errors import VaultError


class PartyNotFound(VaultError):
    """There is none of this id that the principal may see, or it has ended."""

    code, slug, status = "VAULT_COMP_8130", "party-not-found", 404
    title = "There is no such party"
    outcome = "denied"
