"""Who was told of a legal hold, and who has said that they will keep what it names."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from compliance.models.hold import LegalHold
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class HoldNotice(TenantModel):
    """One person was told of one hold: ``text``, sealed, says what to keep and whom to ask.

    ``reached`` says whether the vault could tell them when it last tried. ``told_at`` is when they last were, at first
    when that was tried; ``reminders`` how many times they were told again. ``recorded_by`` is who wrote down, with a
    sealed ``note``, what the person said elsewhere; empty where they said it here. ``ended_at`` is when they were told
    that the hold is over.
    """

    hold = TenantForeignKey(LegalHold, on_delete=models.PROTECT, related_name="notices")
    person = models.UUIDField()
    text = models.BinaryField()
    sent_by = models.UUIDField()
    sent_at = models.DateTimeField(db_default=Now())
    reached = models.BooleanField()
    told_at = models.DateTimeField(db_default=Now())
    reminders = models.PositiveSmallIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, default=None)
    recorded_by = models.UUIDField(null=True, default=None)
    note = models.BinaryField(null=True, default=None)
    ended_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="compliance_holdnotice_hold_fk", field="hold", to="compliance.LegalHold"),
            models.UniqueConstraint(fields=["tenant", "hold", "person"], name="compliance_holdnotice_once"),
            models.CheckConstraint(
                condition=Q(recorded_by=None, note=None)
                | Q(recorded_by__isnull=False, note__isnull=False, acknowledged_at__isnull=False),
                name="compliance_holdnotice_recorded",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "person", "-id"], name="compliance_holdnotice_own")]

    def __str__(self) -> str:
        return f"notice of {self.hold_id}"
