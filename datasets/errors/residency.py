"""Errors of residency: 4501 to 4509."""

from vaultsite.kernel.errors import VaultError


class UnknownRegion(VaultError):
    """No such region is declared; ``regions`` names those that are."""

    code, slug, status = "VAULT_DATA_4501", "unknown-region", 422
    title = "The vault has no region of this name"


class RegionFixed(VaultError):
    """Everything of a dataset lies in its region from the start, and stays there."""

    code, slug, status = "VAULT_DATA_4502", "region-fixed", 409
    title = "A dataset does not change its region"


class OutsideRegion(VaultError):
    """A row names another store than that of its dataset's region; nothing is read from there."""

    code, slug, status = "VAULT_DATA_4503", "outside-region", 500
    title = "A stored object does not lie in the region of its dataset"


class RowsOutsideRegion(VaultError):
    """Staged, resolved and quarantined records wait in the database, which stands in the default region."""

    code, slug, status = "VAULT_DATA_4504", "rows-outside-region", 409
    title = "Records of this dataset may not wait in the database, which stands outside of its region"


class SeveralRegions(VaultError):
    """One file of what lies in several regions could lie in none of them without leaving another."""

    code, slug, status = "VAULT_DATA_4505", "several-regions", 409
    title = "The records lie in several regions and go into no one file"
