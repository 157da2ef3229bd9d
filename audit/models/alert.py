"""What somebody has to look at, until they have."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class AlertSeverity(models.TextChoices):
    INFO = "info", "info"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


class AlertState(models.TextChoices):
    OPEN = "open", "open"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    RESOLVED = "resolved", "resolved"


class AlertVerdict(models.TextChoices):
    """What an alert turned out to be."""

    MENDED = "mended", "mended"
    EXPECTED = "expected", "as expected"
    INCIDENT = "incident", "an incident"
    ENDED = "ended", "ended by itself"


class Alert(TenantModel):
    """A condition: of one kind and cause at most one is not resolved, however often it is seen.

    ``kind`` is a name of audit/alerts/kinds.py, ``cause`` what tells one condition of it from another (ids, names of
    parts; no data). ``facts`` are ids, counts and words of the vault's own. ``since`` and ``until`` bound the events
    behind it, where they have bounds; ``principal_id`` and ``dataset_id`` are whom and what it is about.
    """

    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=AlertSeverity.choices)
    state = models.CharField(max_length=12, choices=AlertState.choices, default=AlertState.OPEN)
    summary = models.CharField(max_length=500)
    facts = models.JSONField(default=dict)
    count = models.PositiveIntegerField(default=1)
    principal_id = models.UUIDField(null=True, default=None)
    dataset_id = models.UUIDField(null=True, default=None)
    since = models.DateTimeField(null=True, default=None)
    until = models.DateTimeField(null=True, default=None)
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    acknowledged_by = models.UUIDField(null=True, default=None)
    acknowledged_at = models.DateTimeField(null=True, default=None)
    resolved_by = models.UUIDField(null=True, default=None)
    resolved_at = models.DateTimeField(null=True, default=None)
    verdict = models.CharField(max_length=8, choices=AlertVerdict.choices, blank=True, default="")
    reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(
                fields=["tenant", "kind", "cause"],
                condition=~models.Q(state="resolved"),
                name="audit_alert_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="audit_alert_by_state"),
            models.Index(fields=["tenant", "kind", "cause", "-id"], name="audit_alert_by_cause"),
            models.Index(fields=["tenant", "principal_id", "-id"], name="audit_alert_by_principal"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.severity}, {self.state})"
