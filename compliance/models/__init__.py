"""The tables of compliance."""

from compliance.models.backup import BackupRun, BackupStatus, DrillStatus, RestoreDrill

__all__ = ["BackupRun", "BackupStatus", "DrillStatus", "RestoreDrill"]
