"""Errors of reports: VAULT_COMP_8180 to 8199."""

from vaultsite.kernel.errors import VaultError


class ReportNotFound(VaultError):
    """There is no such report, or somebody else asked for it."""

    code, slug, status = "VAULT_COMP_8180", "report-not-found", 404
    title = "There is no such report"
    outcome = "denied"


class ReportNotReady(VaultError):
    """The file is still being written, or its writing failed; ``status_of_report`` says which."""

    code, slug, status = "VAULT_COMP_8181", "report-not-ready", 409
    title = "The report has no file"


class ReportExpired(VaultError):
    """The file was removed, because its time was over or somebody took it back."""

    code, slug, status = "VAULT_COMP_8182", "report-expired", 410
    title = "The file of the report is gone"


class TooManyReports(VaultError):
    """The caller waits for as many reports as one may."""

    code, slug, status = "VAULT_COMP_8183", "too-many-reports", 429
    title = "Too many reports are being written for the caller"
    retry_after = 10


class ReportLinkRefused(VaultError):
    """The link has expired, was changed, or was made for somebody else; ``reason`` says which."""

    code, slug, status = "VAULT_COMP_8184", "report-link-refused", 403
    title = "The link to the report does not hold"
    outcome = "denied"


class ReportNotRendered(VaultError):
    """The file could not be set as PDF; the same report as JSON or CSV is not affected."""

    code, slug, status = "VAULT_COMP_8185", "report-not-rendered", 500
    title = "The report could not be set as PDF"
