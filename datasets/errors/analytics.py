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
    """Only the copy of a finished export can be attested to be deleted, and only once."""

    code, slug, status = "VAULT_DATA_4705", "copy-not-out", 409
    title = "There is no copy of this export out there"
