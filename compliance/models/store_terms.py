"""How long an organization keeps what its stores hold, and what runs did about it."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from compliance.models.retention import MAX_BASIS, RetentionRun
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

_LONGEST: Final = 16


class StoreTerm(TenantModel):
    """A term for one store (a value of ``access.terms.Store``), shorter than what is usual.

    What the store holds ends ``days`` after it was made or changed, and what stood already when the term was set no
    sooner than ``grace_days`` after ``changed_at``. ``shortened`` and ``ended`` count since the last run told of them.
    """

    store = models.CharField(max_length=_LONGEST)
    days = models.PositiveIntegerField()
    grace_days = models.PositiveIntegerField()
    legal_basis = models.CharField(max_length=MAX_BASIS)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.UUIDField()
    changed_at = models.DateTimeField(db_default=Now())
    shortened = models.PositiveBigIntegerField(default=0)
    ended = models.PositiveBigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "store"], name="compliance_store_term_once"),
        ]

    def __str__(self) -> str:
        return f"{self.store}: {self.days} days"


class RetentionStoreStep(TenantModel):
    """What became of one store by one run, once.

    ``shortened`` got an earlier end by it, ``ended`` have gone by their age since the run before, ``held`` are past
    their end and kept by a legal hold, ``standing`` is what is left.
    """

    run = TenantForeignKey(RetentionRun, on_delete=models.CASCADE, related_name="store_steps")
    store = models.CharField(max_length=_LONGEST)
    days = models.PositiveIntegerField()
    shortened = models.PositiveBigIntegerField()
    ended = models.PositiveBigIntegerField()
    held = models.PositiveBigIntegerField()
    standing = models.PositiveBigIntegerField()
    decided_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_store_step_run", field="run", to="compliance.RetentionRun"),
            models.UniqueConstraint(fields=["tenant", "run", "store"], name="compliance_store_step_once"),
        ]

    def __str__(self) -> str:
        return f"{self.store}: {self.ended} ended"
