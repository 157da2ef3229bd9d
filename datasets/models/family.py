"""Which datasets are about the same people."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class FamilyMember(TenantModel):
    """``dataset_id`` belongs to the family ``family_id``, which bears the id of one of its datasets.

    The dataset is no foreign key: a family remembers datasets that are gone, since what was learnt of their people
    stays learnt. A dataset without a row is a family of its own. Families only grow.
    """

    dataset_id = models.UUIDField()
    family_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "dataset_id"], name="datasets_family_dataset"),
        ]
        indexes = [models.Index(fields=["tenant", "family_id"], name="datasets_family_members")]
