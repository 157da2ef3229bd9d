"""The tables of compliance."""

from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun, ProbeState, ProbeTrigger
from compliance.models.report import Report, ReportFormat

__all__ = [
    "ControlEvidence",
    "ProbeResult",
    "ProbeRun",
    "ProbeState",
    "ProbeTrigger",
    "Report",
    "ReportFormat",
]
