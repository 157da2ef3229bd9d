"""Exports under a guarantee: 4701 to 4719."""

from vaultsite.kernel.errors import VaultError


class LinkingColumn(VaultError):
    """A pseudonym that stands in several rows ties them together, and their classes with them; ``column`` has such."""

    code, slug, status = "VAULT_DATA_4701", "linking-column", 422
    title = "A pseudonym would link rows of the same person"


class TableTooLarge(VaultError):
    """A guarantee is given to a table as a whole, so its rows have a limit; a filter or a time range takes fewer."""

    code, slug, status = "VAULT_DATA_4702", "table-too-large", 422
    title = "The table has more rows than can be given a guarantee at once"


class NothingToRelease(VaultError):
    code, slug, status = "VAULT_DATA_4703", "nothing-to-release", 422
    title = "No record has what the columns ask for"


class ScheduleNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4704", "schedule-not-found", 404
    title = "No such schedule"
    outcome = "denied"


class CopyNotOut(VaultError):
    """Only the copy of a finished export can be said to be deleted, and only once."""

    code, slug, status = "VAULT_DATA_4705", "copy-not-out", 409
    title = "There is no copy of this export out there"


class ReleaseRulesMissing(VaultError):
    """Whoever does not read raw is given tables and statistics only under rules that somebody else has declared.

    ``missing`` names the members of the rules without which nothing is released.
    """

    code, slug, status = "VAULT_DATA_4706", "release-rules-missing", 409
    title = "Nobody has declared what may be released about the people of this dataset"


class OutsideReleaseRules(VaultError):
    """``errors`` names each member of what was asked for that the release rules of the dataset do not allow."""

    code, slug, status = "VAULT_DATA_4707", "outside-release-rules", 422
    title = "The release rules of the dataset do not allow this"
