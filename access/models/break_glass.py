"""Access in an emergency: two people open it, everybody sees it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from access.models.lease import HolderKind, Lease
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class BreakGlass(TenantModel):
    """One call for emergency access. It opens nothing until another person confirms it, before ``confirm_by``.

    Its ``lease`` shows records raw for ``seconds``. Afterwards a third look is due: ``reviewed_by`` is neither of the
    two whose doing it was.
    """

    requester = models.UUIDField()
    requester_kind = models.CharField(max_length=7, choices=HolderKind.choices)
    dataset_id = models.UUIDField()
    purpose = models.CharField(max_length=63)
    reason = models.CharField(max_length=1000)
    seconds = models.PositiveIntegerField()
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    confirm_by = models.DateTimeField()
    refused_by = models.UUIDField(null=True, default=None)
    refused_at = models.DateTimeField(null=True, default=None)
    confirmed_by = models.UUIDField(null=True, default=None)
    confirmed_at = models.DateTimeField(null=True, default=None)
    lease = TenantForeignKey(Lease, models.PROTECT, null=True, default=None, related_name="emergencies")
    reviewed_by = models.UUIDField(null=True, default=None)
    reviewed_at = models.DateTimeField(null=True, default=None)
    review_note = models.CharField(max_length=1000, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_breakglass_lease", field="lease", to="access.Lease"),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("requester")), name="access_breakglass_two_people"
            ),
            models.CheckConstraint(
                condition=Q(lease=None) | Q(confirmed_by__isnull=False), name="access_breakglass_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("requester")) & ~Q(reviewed_by=F("confirmed_by")),
                name="access_breakglass_third_person",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "dataset_id", "id"], name="access_breakglass_dataset")]

    @property
    def state(self) -> str:
        """In one word, for people: by this computer's clock."""
        if self.refused_at is not None:
            return "refused"
        if self.lease is None:
            return "lapsed" if self.confirm_by <= timezone.now() else "waiting"
        if self.reviewed_at is not None:
            return "reviewed"
        return "open" if self.lease.state in {"active", "suspended"} else "over"
