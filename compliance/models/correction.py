"""What a subject's records are to say instead, proposed by one person and applied by another."""

from django.db import models
from django.db.models.functions import Now

from compliance.models.request import SubjectRequest
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class Correction(TenantModel):
    """Merge patches (RFC 7396) of records on one branch of a dataset; ``patches`` are sealed: [record id, patch].

    ``publication`` is the job that made the new version; None before, and where nothing was to change.
    """

    request = TenantForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="corrections")
    dataset = TenantForeignKey("datasets.Dataset", on_delete=models.CASCADE)
    branch = models.CharField(max_length=100, default="main")
    patches = models.BinaryField()
    patch_count = models.PositiveSmallIntegerField()
    proposed_by = models.UUIDField()
    proposed_at = models.DateTimeField(db_default=Now(), editable=False)
    applied_by = models.UUIDField(null=True, default=None)
    applied_at = models.DateTimeField(null=True, default=None)
    publication = models.UUIDField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="compliance_correction_request_fk", field="request", to="compliance.SubjectRequest"
            ),
            CompositeForeignKey(
                name="compliance_correction_dataset_fk", field="dataset", to="datasets.Dataset", on_delete="CASCADE"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "request", "id"], name="compliance_correction_req")]

    def __str__(self) -> str:
        return f"{self.patch_count} corrections of {self.dataset_id}"
