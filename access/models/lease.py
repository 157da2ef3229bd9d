"""Access to one dataset that ends by itself."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

#: A lease that counts at this moment, by the database's clock.
LIVE_LEASE = Q(starts_at__lte=Now(), expires_at__gt=Now(), revoked_at=None, suspended_at=None)


class LeaseKind(models.TextChoices):
    LEASE = "lease", "lease"
    BREAK_GLASS = "break_glass", "emergency"


class Shown(models.TextChoices):
    """How records are shown under a grant, from everything to least."""

    RAW = "raw", "raw"
    MASK = "mask", "masked"
    REDACT = "redact", "redacted"


class HolderKind(models.TextChoices):
    USER = "user", "person"
    SERVICE = "service", "program"


class LeaseQuerySet(models.QuerySet["Lease"]):
    def live(self) -> "LeaseQuerySet":
        return self.filter(LIVE_LEASE)


class Lease(TenantModel):
    """Who (``holder``, a principal's id) may do ``actions`` to a dataset for one purpose, until ``expires_at``.

    ``row_quota`` is how many records it releases in all (None: any number), ``epsilon`` how much privacy budget its
    statistics spend in all. A suspended lease opens nothing until somebody resumes it; a revoked one never again.
    ``dataset_id`` is no foreign key: datasets are another app's.
    """

    kind = models.CharField(max_length=11, choices=LeaseKind.choices, default=LeaseKind.LEASE)
    holder = models.UUIDField()
    holder_kind = models.CharField(max_length=7, choices=HolderKind.choices)
    dataset_id = models.UUIDField()
    actions = models.JSONField()
    shown = models.CharField(max_length=6, choices=Shown.choices)
    purpose = models.CharField(max_length=63)
    row_quota = models.BigIntegerField(null=True, default=None)
    rows_used = models.BigIntegerField(default=0)
    epsilon = models.DecimalField(max_digits=24, decimal_places=18, null=True, default=None)
    epsilon_used = models.DecimalField(max_digits=24, decimal_places=18, default=0)
    last_used_at = models.DateTimeField(null=True, default=None)
    granted_by = models.JSONField()
    starts_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, default=None)
    suspended_for = models.CharField(max_length=200, blank=True, default="")
    revoked_at = models.DateTimeField(null=True, default=None)
    revoked_by = models.UUIDField(null=True, default=None)
    revoke_reason = models.CharField(max_length=1000, blank=True, default="")

    objects = LeaseQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.CheckConstraint(condition=Q(rows_used__gte=0), name="access_lease_rows_used"),
            models.CheckConstraint(
                condition=Q(row_quota=None) | Q(rows_used__lte=F("row_quota")), name="access_lease_within_quota"
            ),
            models.CheckConstraint(
                condition=Q(epsilon=None) | Q(epsilon_used__lte=F("epsilon")), name="access_lease_within_epsilon"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "holder", "dataset_id"], name="access_lease_holder"),
            models.Index(fields=["tenant", "dataset_id", "expires_at"], name="access_lease_dataset"),
        ]

    @property
    def state(self) -> str:
        """In one word, for people: by this computer's clock. What it opens is decided by LIVE_LEASE."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= timezone.now():
            return "expired"
        if self.suspended_at is not None:
            return "suspended"
        return "exhausted" if self.rows_left == 0 else "active"

    @property
    def rows_left(self) -> int | None:
        return None if self.row_quota is None else self.row_quota - self.rows_used
