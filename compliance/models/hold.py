"""The case file of a legal hold: what is kept for which matter, who said so, and who let it go."""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from datasets.models import HoldKind
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

#: In the order in which a hold passes through them; it keeps what it names in all but the last.
STATES: Final = ("placed", "confirmed", "releasing", "released")


class LegalHold(TenantModel):
    """It keeps what its scopes name from the moment it is placed until two people have released it.

    ``matter`` is the reference of the proceedings. Why it was placed and why it may go are sealed. ``custodian`` is the
    person whose data or work it is about, who has no say in its end. ``confirm_by`` is when a second person should
    have confirmed it; one that nobody has still keeps everything, and is shown as overdue.
    """

    matter = models.CharField(max_length=100)
    reason = models.BinaryField()
    custodian = models.UUIDField()
    placed_by = models.UUIDField()
    placed_at = models.DateTimeField(db_default=Now())
    confirm_by = models.DateTimeField()
    confirmed_by = models.UUIDField(null=True, default=None)
    confirmed_at = models.DateTimeField(null=True, default=None)
    release_reason = models.BinaryField(null=True, default=None)
    release_requested_by = models.UUIDField(null=True, default=None)
    release_requested_at = models.DateTimeField(null=True, default=None)
    released_by = models.UUIDField(null=True, default=None)
    released_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("placed_by")), name="compliance_hold_two_confirm"
            ),
            models.CheckConstraint(
                condition=Q(released_by=None)
                | Q(release_requested_by__isnull=False)
                & ~Q(released_by=F("release_requested_by"))
                & ~Q(released_by=F("custodian"))
                & ~Q(release_requested_by=F("custodian")),
                name="compliance_hold_two_release",
            ),
        ]

    def __str__(self) -> str:
        return self.matter

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.released_at is not None:
            return "released"
        if self.release_requested_at is not None:
            return "releasing"
        return "confirmed" if self.confirmed_at is not None else "placed"

    @property
    def is_overdue(self) -> bool:
        """Whether a second person should have confirmed it by now."""
        return self.released_at is None and self.confirmed_at is None and self.confirm_by <= timezone.now()


class HoldScope(TenantModel):
    """What of one dataset a hold keeps.

    Of a person only how many ``identifiers`` named them stays here. ``query`` is the sealed filter. ``found`` is how
    many records a scope of a person kept when it was placed.
    """

    hold = TenantForeignKey(LegalHold, on_delete=models.PROTECT, related_name="scopes")
    kind = models.CharField(max_length=8, choices=HoldKind.choices)
    #: Not a foreign key: the case file outlives what it kept.
    dataset_id = models.UUIDField()
    version = models.CharField(max_length=32, blank=True, default="")
    identifiers = models.PositiveSmallIntegerField(default=0)
    query = models.BinaryField(null=True, default=None)
    found = models.PositiveIntegerField(null=True, default=None)
    mark_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_holdscope_hold_fk", field="hold", to="compliance.LegalHold"),
        ]
        indexes = [
            models.Index(fields=["tenant", "hold"], name="compliance_holdscope_hold"),
            models.Index(fields=["tenant", "dataset_id"], name="compliance_holdscope_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.dataset_id}"
