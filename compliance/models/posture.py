"""Probes that were run, what each of them found, signed, and evidence for what no probe can try."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ProbeTrigger(models.TextChoices):
    """Why probes were run."""

    SCHEDULE = "schedule", "on schedule"
    PERSON = "person", "asked for"


class ProbeState(models.TextChoices):
    """What a probe found: an error says nothing about the defence, and proves nothing."""

    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    ERROR = "error", "could not be tried"


class ProbeRun(LongRunning):
    """One turn through probes. ``probes`` are their names, in order; ``counts`` is how many ended in which state.

    ``posture`` is what the frameworks looked like when it ended: framework -> state of a control -> how many.
    """

    task_name = "compliance.run_probes"

    trigger = models.CharField(max_length=8, choices=ProbeTrigger.choices)
    probes = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    posture = models.JSONField(default=dict)

    class Meta(LongRunning.Meta):
        db_table = "compliance_probe_run"
        verbose_name = "run of probes"
        verbose_name_plural = "runs of probes"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "INSERT", "UPDATE")),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="compliance_probe_run_by_time"),
            models.Index(fields=["status", "lease_until"], name="compliance_probe_run_lease"),
        ]

    def __str__(self) -> str:
        return f"run of probes of {self.created_at:%Y-%m-%d %H:%M}"


class ProbeResult(TenantModel):
    """What one probe of one run found; rows are added and never changed.

    ``statement`` are the exact bytes that were signed: RFC 8785 JSON of everything the other columns say.
    ``signature`` is Ed25519 over them by the key whose 32 public bytes are ``signed_by``.
    """

    run = TenantForeignKey(ProbeRun, models.PROTECT)
    probe = models.CharField(max_length=40)
    state = models.CharField(max_length=6, choices=ProbeState.choices)
    facts = models.JSONField(default=dict)
    ended_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    statement = models.BinaryField()
    signature = models.BinaryField()
    signed_by = models.BinaryField()

    class Meta(TenantModel.Meta):
        db_table = "compliance_probe_result"
        verbose_name = "result of a probe"
        verbose_name_plural = "results of probes"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_probe_result_run", field="run", to="compliance.ProbeRun"),
            models.UniqueConstraint(fields=["tenant", "run", "probe"], name="compliance_probe_result_once"),
        ]
        indexes = [models.Index(fields=["tenant", "probe", "-id"], name="compliance_probe_result_latest")]

    def __str__(self) -> str:
        return f"{self.probe} {self.state}"


class ControlEvidence(TenantModel):
    """A document by which somebody attests a control outside the software, until ``expires_on``.

    ``sealed`` is the document under the tenant's platform key; ``sha256`` that of its plaintext. ``title`` and
    ``statement`` were scanned for personal data. A withdrawn one counts no more and keeps its row without document.
    """

    framework = models.CharField(max_length=20)
    control = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    statement = models.CharField(max_length=1000)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed = models.BinaryField(null=True)
    expires_on = models.DateField()
    attested_by = models.UUIDField()
    attested_at = models.DateTimeField(db_default=Now())
    withdrawn_by = models.UUIDField(null=True, default=None)
    withdrawn_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        db_table = "compliance_control_evidence"
        verbose_name = "evidence of a control"
        verbose_name_plural = "evidence of controls"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at=None, sealed__isnull=False)
                | models.Q(withdrawn_at__isnull=False, sealed=None),
                name="compliance_evidence_withdrawn_is_empty",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "control", "-id"], name="compliance_evidence_control")]

    def __str__(self) -> str:
        return self.title
