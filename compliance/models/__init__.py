"""The tables of compliance."""

from compliance.models.hold import HoldScope, LegalHold
from compliance.models.report import Report, ReportFormat

__all__ = [
    "HoldScope",
    "LegalHold",
    "Report",
    "ReportFormat",
]
