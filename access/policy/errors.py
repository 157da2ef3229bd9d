"""Errors of decisions and of the policies behind them."""

from vaultsite.kernel.errors import VaultError


class ObligationNotEnforced(VaultError):
    """A decision asks for something that nothing at this surface does: it is a denial."""

    code, slug, status, outcome = "VAULT_AUTHZ_2200", "obligation-not-enforced", 403, "denied"
    title = "The decision asks for something that cannot be done here"
