"""What a subject is given: their records as one sealed file."""

from django.db import models

from compliance.models.request import SubjectRequest
from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class RequestPackage(LongRunning):
    """The collecting of a subject's records into one ZIP archive.

    ``sources`` are [dataset, branch, version, erasure epoch] as decided when it was asked for. ``parts`` are [name of
    the blob, bytes of plaintext] in order; ``store`` is the alias in STORAGES where they lie, empty until a worker
    began. ``removal_due_at`` is set when the file was taken back, by age or by hand, ``removed_at`` when its bytes are
    gone.
    """

    task_name = "compliance.run_package"

    request = TenantForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="packages")
    purpose = models.CharField(max_length=64, blank=True, default="")
    sources = models.JSONField(default=list)
    parts = models.JSONField(default=list)
    record_count = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField(null=True, default=None)
    store = models.CharField(max_length=64, blank=True, default="", db_default="")
    removal_due_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="compliance_package_request_fk", field="request", to="compliance.SubjectRequest"),
        ]
        indexes = [
            models.Index(fields=["tenant", "request", "id"], name="compliance_package_request"),
            models.Index(fields=["status", "lease_until"], name="compliance_package_lease"),
            models.Index(fields=["expires_at"], name="compliance_package_expiry"),
        ]

    def __str__(self) -> str:
        return f"package of {self.request_id}"

    @property
    def has_file(self) -> bool:
        return self.status == JobStatus.SUCCEEDED and not self.is_taken_back

    @property
    def is_taken_back(self) -> bool:
        return self.removal_due_at is not None or self.removed_at is not None
