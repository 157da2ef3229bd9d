"""The admin site of the vault."""

from unfold.sites import UnfoldAdminSite


class VaultAdminSite(UnfoldAdminSite):
    site_header = "LLM Data Vault"
