"""Retention: what policies ask for, what was announced to owners, and what runs have done."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from datasets.models import Dataset
from vaultsite.kernel.jobs import FINAL, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

MAX_NAME: Final = 200
MAX_BASIS: Final = 500


class RetentionStart(models.TextChoices):
    """From when a period counts."""

    CREATED = "created", "the dataset was created"
    INGEST = "ingest", "its newest version was made"
    ACCESS = "access", "its records were last read or written"
    EVENT = "event", "an event was recorded for it"


class RetentionAction(models.TextChoices):
    ARCHIVE = "archive", "archive"
    ANONYMIZE = "anonymize", "anonymize in place"
    DELETE = "delete", "delete, with time to undo"
    SHRED = "crypto_shred", "destroy the keys at once"


class RetentionPolicy(TenantModel):
    """A minimum, a duration with an action, or both, for the datasets that its conditions name.

    ``classifications`` (any of them), ``tags`` (all of them) and ``purposes`` (records were read for any of them);
    empty: no condition. ``revision`` counts its wordings from 1; one that has ended (``ended_at``) stays as history.
    """

    name = models.CharField(max_length=MAX_NAME)
    legal_basis = models.CharField(max_length=MAX_BASIS)
    starts = models.CharField(max_length=7, choices=RetentionStart.choices)
    event = models.CharField(max_length=64, blank=True, default="")
    minimum_days = models.PositiveIntegerField(null=True, default=None)
    duration_days = models.PositiveIntegerField(null=True, default=None)
    action = models.CharField(max_length=12, choices=RetentionAction.choices, blank=True, default="")
    grace_days = models.PositiveIntegerField(default=14)
    classifications = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    purposes = models.JSONField(default=list)
    revision = models.PositiveIntegerField(default=1)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True, default=None, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=models.Q(ended_at=None), name="compliance_retention_policy_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RetentionEvent(TenantModel):
    """Something that happened to what a dataset is about (a contract ended, a study closed): periods count from it."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="retention_events")
    name = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    recorded_by = models.UUIDField(editable=False)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="compliance_retention_event_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "name"], name="compliance_retention_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.occurred_at:%Y-%m-%d}"


class RetentionClock(TenantModel):
    """The database's time at the tenant's last run, and what is wrong with the present one, if anything is.

    Since ``suspected_at`` no run acts until somebody has confirmed that the time is right;
    ``events_until`` is the time of the newest event that they had before them.
    """

    seen_at = models.DateTimeField(db_default=Now())
    suspected_at = models.DateTimeField(null=True, default=None)
    suspicion = models.CharField(max_length=16, blank=True, default="")
    events_until = models.DateTimeField(null=True, default=None)
    confirmed_by = models.UUIDField(null=True, default=None)
    confirmed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            models.UniqueConstraint(fields=["tenant"], name="compliance_retention_clock_once"),
        ]

    def __str__(self) -> str:
        return f"clock of retention, {self.seen_at:%Y-%m-%d %H:%M}"


class RetentionRun(LongRunning):
    """One pass over what the policies ask for; ``counts`` says how many datasets came to which outcome."""

    task_name = "compliance.run_retention"

    counts = models.JSONField(default=dict)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            models.UniqueConstraint(
                fields=["tenant"], condition=~models.Q(status__in=FINAL), name="compliance_retention_run_alone"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="compliance_retention_run_new"),
            models.Index(fields=["status", "lease_until"], name="compliance_retentionrun_lease"),
        ]

    def __str__(self) -> str:
        return f"retention run {self.id}"


class NoticeState(models.TextChoices):
    ANNOUNCED = "announced", "announced"
    APPLIED = "applied", "applied"
    WITHDRAWN = "withdrawn", "withdrawn"


class RetentionNotice(TenantModel):
    """What was announced to the owner of a dataset, and what became of it; it outlives the dataset.

    ``masking`` is the job that anonymizes the dataset, once it was begun.

    Nothing is done before ``acts_after``, nor by another wording of the policy than the one announced (``revision``).
    """

    dataset_id = models.UUIDField()
    policy = TenantForeignKey(RetentionPolicy, on_delete=models.PROTECT)
    revision = models.PositiveIntegerField()
    action = models.CharField(max_length=12, choices=RetentionAction.choices)
    state = models.CharField(max_length=9, choices=NoticeState.choices, default=NoticeState.ANNOUNCED)
    announced_at = models.DateTimeField(db_default=Now())
    acts_after = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, default=None)
    masking = models.UUIDField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="compliance_retention_notice_fk", field="policy", to="compliance.RetentionPolicy"),
            models.UniqueConstraint(
                fields=["tenant", "dataset_id"],
                condition=models.Q(state="announced"),
                name="compliance_retention_notice_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} after {self.acts_after:%Y-%m-%d} ({self.state})"


class StepOutcome(models.TextChoices):
    ANNOUNCED = "announced", "announced to its owner"
    WAITING = "waiting", "in its grace period"
    STARTED = "started", "begun"
    APPLIED = "applied", "done"
    WITHDRAWN = "withdrawn", "no longer due"
    REFUSED = "refused", "refused"


class RetentionStep(TenantModel):
    """What one run did about one dataset, once; it outlives the dataset. ``error_code`` says why it was refused.

    ``masking`` is the job that anonymizes the dataset, where the run began it or found it done.
    """

    run = TenantForeignKey(RetentionRun, on_delete=models.CASCADE, related_name="steps")
    dataset_id = models.UUIDField()
    policy = TenantForeignKey(RetentionPolicy, on_delete=models.PROTECT)
    action = models.CharField(max_length=12, choices=RetentionAction.choices)
    outcome = models.CharField(max_length=9, choices=StepOutcome.choices)
    error_code = models.CharField(max_length=20, blank=True, default="")
    masking = models.UUIDField(null=True, default=None)
    decided_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_retention_step_run", field="run", to="compliance.RetentionRun"),
            CompositeForeignKey(
                name="compliance_retention_step_policy", field="policy", to="compliance.RetentionPolicy"
            ),
            models.UniqueConstraint(fields=["tenant", "run", "dataset_id"], name="compliance_retention_step_once"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.outcome}"
