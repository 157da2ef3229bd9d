"""Links that are mailed to a subject, who has no account: only the hash of their token is kept."""

from django.db import models
from django.db.models.functions import Now

from compliance.models.package import RequestPackage
from compliance.models.request import SubjectRequest
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class LinkKind(models.TextChoices):
    IDENTITY = "identity", "proves who has the address"
    PACKAGE = "package", "opens the package"


class SubjectLink(TenantModel):
    """A link for one purpose. There is no token before its mail goes out: who sends it makes it.

    ``mail_at`` is set while the mail has to go out, ``mailed_at`` once it has. ``uses`` are those that succeeded.
    """

    request = TenantForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=8, choices=LinkKind.choices)
    package = TenantForeignKey(RequestPackage, on_delete=models.CASCADE, null=True, default=None)
    token_hash = models.BinaryField(max_length=32, null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, default=None)
    uses = models.PositiveSmallIntegerField(default=0)
    mail_at = models.DateTimeField(null=True, default=None)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",)),
            CompositeForeignKey(name="compliance_link_request_fk", field="request", to="compliance.SubjectRequest"),
            CompositeForeignKey(name="compliance_link_package_fk", field="package", to="compliance.RequestPackage"),
        ]
        indexes = [
            models.Index(fields=["tenant", "request", "id"], name="compliance_link_request"),
            models.Index(fields=["tenant", "token_hash"], name="compliance_link_token"),
            models.Index(fields=["mail_at"], condition=models.Q(mail_at__isnull=False), name="compliance_link_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} link of {self.request_id}"
