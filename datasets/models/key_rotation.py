"""A key rotation: a successor for a key, and everything under the old one moved to it."""

from django.db import models

from access.models import KeyPurpose
from datasets.models.dataset import Dataset
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class RotationReason(models.TextChoices):
    REQUESTED = "requested", "requested"
    AGE = "age", "due by age"
    USE = "use", "due by number of objects"


class KeyRotation(LongRunning):
    """``dataset`` is None for keys of the whole tenant. ``moved_count`` counts objects sealed, or keys wrapped, anew.

    ``new_key`` is made in the first step; a rotation that starts again goes on with it, so that there is one
    current version.
    """

    task_name = "datasets.run_key_rotation"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, null=True, related_name="key_rotations")
    purpose = models.CharField(max_length=20, choices=[(purpose.value, purpose.value) for purpose in KeyPurpose])
    reason = models.CharField(max_length=9, choices=RotationReason.choices, default=RotationReason.REQUESTED)
    new_key = models.UUIDField(null=True)
    moved_count = models.PositiveIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_keyrotation_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "created_at"], name="datasets_keyrotation_created"),
            models.Index(fields=["status", "lease_until"], name="datasets_keyrotation_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} key rotation {self.id}"
