"""The tables of compliance."""

from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun, ProbeState, ProbeTrigger

__all__ = ["ControlEvidence", "ProbeResult", "ProbeRun", "ProbeState", "ProbeTrigger"]
