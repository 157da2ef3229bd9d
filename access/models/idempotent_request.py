"""A request that may be sent again without being done again."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel


class IdempotentRequest(TenantModel):
    """The first request under one idempotency key of one principal on one route, and its sealed answer.

    ``answer`` is null while the request is worked on; then a repetition waits, or takes over after ``claimed_until``.
    """

    principal = models.UUIDField()
    route = models.CharField(max_length=200, db_collation="C")
    key_hash = models.BinaryField(max_length=32)
    fingerprint = models.BinaryField(max_length=32, null=True)
    answer = models.BinaryField(null=True)
    claimed_until = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant", "principal", "route", "key_hash"], name="access_idempotentrequest_key"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "expires_at"], name="access_idempotent_expiry")]
