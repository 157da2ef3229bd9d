"""Incidents, and everything that is kept of them."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class IncidentSeverity(models.TextChoices):
    LOW = "low", "low"
    MEDIUM = "medium", "medium"
    HIGH = "high", "high"
    CRITICAL = "critical", "critical"


class IncidentState(models.TextChoices):
    SUSPECTED = "suspected", "suspected"
    CONFIRMED = "confirmed", "confirmed"
    DISMISSED = "dismissed", "dismissed"
    CONTAINED = "contained", "contained"
    CLOSED = "closed", "closed"


class Incident(TenantModel):
    """Something that may be, or was, a breach of personal data.

    ``aware_at`` is when the organization had reasonable certainty (GDPR article 33), None before; ``discovered_at`` the
    first day on which it was known or would have been with diligence (45 CFR 164.404), in ``time_zone``.
    ``principals`` and ``datasets`` are ids of whom and what it is about. ``laws`` are names of clocks.LAWS.
    ``persons`` is how many people are affected, None while unknown, ``residents`` how many of them by state.
    ``next_due_at`` is the end of the clock that runs out first. Texts were scanned for personal data.
    """

    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=4000, blank=True, default="")
    severity = models.CharField(max_length=8, choices=IncidentSeverity.choices)
    state = models.CharField(max_length=9, choices=IncidentState.choices, default=IncidentState.SUSPECTED)
    laws = models.JSONField(default=list)
    is_processor = models.BooleanField(default=False)
    discovered_at = models.DateTimeField()
    aware_at = models.DateTimeField(null=True, default=None)
    occurred_from = models.DateTimeField(null=True, default=None)
    occurred_until = models.DateTimeField(null=True, default=None)
    time_zone = models.CharField(max_length=64, default="UTC")
    persons = models.PositiveIntegerField(null=True, default=None)
    residents = models.JSONField(default=dict)
    principals = models.JSONField(default=list)
    datasets = models.JSONField(default=list)
    alert_id = models.UUIDField(null=True, default=None)
    opened_by = models.UUIDField()
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, default=None)
    contained_at = models.DateTimeField(null=True, default=None)
    ended_at = models.DateTimeField(null=True, default=None)
    reason = models.CharField(max_length=1000, blank=True, default="")
    next_due_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",)),
            models.UniqueConstraint(fields=["tenant", "number"], name="compliance_incident_number"),
            models.UniqueConstraint(
                fields=["tenant", "alert_id"],
                condition=models.Q(alert_id__isnull=False),
                name="compliance_incident_alert",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="compliance_incident_state"),
            models.Index(
                fields=["next_due_at"],
                name="compliance_incident_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"INC-{self.number}"


class IncidentEntry(TenantModel):
    """One line of an incident's timeline, written once. ``facts`` are ids, codes, counts and times."""

    incident = TenantForeignKey(Incident, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=24)
    text = models.CharField(max_length=2000, blank=True, default="")
    facts = models.JSONField(default=dict)
    by = models.UUIDField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="incident_entry_incident_fk", field="incident", to="compliance.Incident"),
        ]
        indexes = [models.Index(fields=["tenant", "incident", "-id"], name="incident_entry_incident")]


class IncidentScope(LongRunning):
    """What the audit and the lineage say an incident reached.

    ``criteria``: whose events (principals, with the programs they made), of which datasets, since when and until when.
    ``result`` holds ids, names of types and counts (see incidents/scope_work.py), each with what finds its events.
    """

    task_name = "compliance.compute_scope"

    incident = TenantForeignKey(Incident, on_delete=models.PROTECT, related_name="scopes")
    criteria = models.JSONField(default=dict)
    result = models.JSONField(default=dict)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="incident_scope_incident_fk", field="incident", to="compliance.Incident"),
        ]
        indexes = [
            models.Index(fields=["tenant", "incident", "-id"], name="incident_scope_incident"),
            models.Index(fields=["status", "lease_until"], name="incident_scope_lease"),
        ]

    def __str__(self) -> str:
        return f"scope of an incident {self.id}"


class IncidentAssessment(TenantModel):
    """What the risk was judged to be, and why; a later judgement is another row.

    ``factors`` are the four of 45 CFR 164.402(2), each {level, text}. ``gdpr_risk`` is that to the rights of persons.
    """

    incident = TenantForeignKey(Incident, on_delete=models.PROTECT, related_name="assessments")
    factors = models.JSONField(default=dict)
    hipaa = models.CharField(max_length=16, blank=True, default="")
    gdpr_risk = models.CharField(max_length=8, blank=True, default="")
    exception = models.CharField(max_length=16, blank=True, default="")
    grounds = models.CharField(max_length=2000, blank=True, default="")
    by = models.UUIDField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="incident_assessment_incident_fk", field="incident", to="compliance.Incident"),
        ]
        indexes = [models.Index(fields=["tenant", "incident", "-id"], name="incident_assessment_incident")]


class IncidentTask(TenantModel):
    """Something somebody has to do; done, it says by what that can be seen (``proof``)."""

    incident = TenantForeignKey(Incident, on_delete=models.PROTECT, related_name="tasks")
    title = models.CharField(max_length=200)
    assignee = models.UUIDField(null=True, default=None)
    due_at = models.DateTimeField(null=True, default=None)
    made_by = models.UUIDField()
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True, default=None)
    done_by = models.UUIDField(null=True, default=None)
    proof = models.CharField(max_length=1000, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="incident_task_incident_fk", field="incident", to="compliance.Incident"),
        ]
        indexes = [
            models.Index(fields=["tenant", "incident", "id"], name="incident_task_incident"),
            models.Index(
                fields=["tenant", "assignee"], name="incident_task_open", condition=models.Q(done_at__isnull=True)
            ),
        ]


class BreachNotice(TenantModel):
    """A notification of one audience, in phases (GDPR article 33(4)). ``reference`` says by what its sending shows."""

    incident = TenantForeignKey(Incident, on_delete=models.PROTECT, related_name="notices")
    audience = models.CharField(max_length=10)
    phase = models.PositiveSmallIntegerField(default=1)
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, default=None)
    sent_by = models.UUIDField(null=True, default=None)
    sent_version = models.PositiveIntegerField(null=True, default=None)
    reference = models.CharField(max_length=500, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="breach_notice_incident_fk", field="incident", to="compliance.Incident"),
            models.UniqueConstraint(fields=["tenant", "incident", "audience", "phase"], name="breach_notice_phase"),
        ]


class BreachNoticeText(TenantModel):
    """One version of what a notice says, sealed: it is for persons and may name them."""

    notice = TenantForeignKey(BreachNotice, on_delete=models.PROTECT, related_name="texts")
    number = models.PositiveIntegerField()
    body = models.BinaryField()
    by = models.UUIDField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="breach_notice_text_fk", field="notice", to="compliance.BreachNotice"),
            models.UniqueConstraint(fields=["tenant", "notice", "number"], name="breach_notice_text_number"),
        ]
