"""Which client certificates speak for which service account."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class CertificateName(StrEnum):
    """By what a certificate is known: itself, or a name in its subjectAltName."""

    FINGERPRINT = "fingerprint"
    DNS = "dns"
    URI = "uri"


class ClientCertificate(TenantModel):
    """One way to be known: ``value`` is the SHA-256 of the DER in lower-case hex, a DNS name, or a URI.

    A name stays when the certificate is renewed, and trusts whoever the proxy's authority gives it to; a fingerprint
    is one certificate alone. Withdrawn rather than deleted.
    """

    service_account = TenantForeignKey("access.ServiceAccount", models.PROTECT, related_name="certificates")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in CertificateName])
    value = models.CharField(max_length=300, db_collation="C")
    last_used_at = models.DateTimeField(null=True, blank=True, default=None)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(
                name="access_clientcertificate_account", field="service_account", to="access.ServiceAccount"
            ),
            models.UniqueConstraint(
                fields=["tenant", "kind", "value"],
                condition=models.Q(revoked_at__isnull=True),
                name="access_clientcertificate_one_live",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "service_account"], name="access_certificate_by_account")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"
