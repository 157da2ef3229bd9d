"""The tables of compliance."""

from compliance.models.report import Report, ReportFormat

__all__ = [
    "Report",
    "ReportFormat",
]
