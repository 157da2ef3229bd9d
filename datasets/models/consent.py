"""How the records of a dataset are linked to the people whose consent they need."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class ConsentLink(TenantModel):
    """The declaration of one dataset; without a row a record is about everybody whom the subject index finds in it.

    ``subject`` is the JSON pointer to an identifier of ``subject_type`` of whom a record is about: then that person
    alone is asked. ``releases_unlinked``: records that name nobody are released, which without it they are not.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="consent_links")
    subject = models.CharField(max_length=1024, blank=True, default="")
    subject_type = models.CharField(max_length=64, blank=True, default="")
    releases_unlinked = models.BooleanField(default=False)
    declared_by = models.UUIDField()
    declared_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="datasets_consentlink_dataset_fk", field="dataset", to="datasets.Dataset", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "dataset"], name="datasets_consentlink_dataset"),
        ]
