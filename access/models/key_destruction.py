"""A request to destroy one version of a key, which somebody else must confirm."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.models.encryption_key import EncryptionKey
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class KeyDestruction(TenantModel):
    """Two people destroy a key: ``requested_by`` asks, ``confirmed_by`` is another one. A withdrawn request is gone."""

    key = TenantForeignKey(EncryptionKey, models.PROTECT, related_name="destructions")
    reason = models.CharField(max_length=1000)
    requested_by = models.UUIDField()
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_by = models.UUIDField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_keydestruction_key", field="key", to="access.EncryptionKey"),
            models.UniqueConstraint(fields=["tenant", "key"], name="access_keydestruction_one"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=models.F("requested_by")),
                name="access_keydestruction_two_people",
            ),
        ]
