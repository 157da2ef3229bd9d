"""Exports: 4421 to 4439."""

from vaultsite.kernel.errors import VaultError


class ExportNotFound(VaultError):
    """No such export, or one that somebody else asked for: the two are not told apart."""

    code, slug, status = "VAULT_DATA_4421", "export-not-found", 404
    title = "No such export"
    outcome = "denied"


class ExportNotReady(VaultError):
    """The export has no files yet, or failed or was withdrawn and never will; its status says which."""

    code, slug, status = "VAULT_DATA_4422", "export-not-ready", 409
    title = "The export has no files"


class ExportExpired(VaultError):
    code, slug, status = "VAULT_DATA_4423", "export-expired", 410
    title = "The files of this export were removed"


class TooManyColumns(VaultError):
    """A table needs its columns before its rows, so their number is bounded; JSON lines have no such bound."""

    code, slug, status = "VAULT_DATA_4424", "too-many-columns", 400
    title = "The records have more members than a table may have columns"


class DownloadRefused(VaultError):
    """The address is signed for one file, one principal and a short time."""

    code, slug, status = "VAULT_DATA_4426", "download-refused", 403
    title = "The download address does not hold"
    outcome = "denied"


class StricterObligations(VaultError):
    """What was written then shows more than its reader may see now."""

    code, slug, status = "VAULT_DATA_4427", "stricter-obligations", 403
    title = "The policy asks for more than this export did"
    outcome = "denied"


class ExportOutdated(VaultError):
    """Records were erased from the dataset after the export began, so it may hold what must not leave any more."""

    code, slug, status = "VAULT_DATA_4428", "export-outdated", 409
    title = "Records were erased since this export began"


class ExportFileNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4429", "export-file-not-found", 404
    title = "The export has no such file"


class RangeNotSatisfiable(VaultError):
    code, slug, status = "VAULT_DATA_4430", "range-not-satisfiable", 416
    title = "The range does not lie in the file"
