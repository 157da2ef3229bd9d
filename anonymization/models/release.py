"""Releases under a guarantee that may still be out there, and who is attested not to share them."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ReleaseFamily(TenantModel):
    """The row that two releases of one family wait for; ``merged_into`` as in PrivacyBudget."""

    family_id = models.UUIDField()
    merged_into = models.UUIDField(null=True, default=None)

    class Meta(TenantModel.Meta):
        db_table = "release_families"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "family_id"], name="release_family"),
        ]


class Release(TenantModel):
    """One release of generalized rows: who got it, which guarantee it carries, until when it is out.

    It is live until somebody else than its recipient attests that every copy was deleted (``withdrawn_at``, by whom and
    why). ``expires_at`` is when the recipient must have deleted it (null: never), ``reported_at`` when the recipient
    said so. Each subject has a value in each of ``value_columns``.
    """

    family_id = models.UUIDField()
    recipient = models.UUIDField()
    dataset_id = models.UUIDField(null=True)
    version = models.CharField(max_length=100, blank=True, default="", db_collation="C")
    export_id = models.UUIDField(null=True)
    k = models.PositiveIntegerField()
    l_diversity = models.PositiveIntegerField(default=1)
    subjects = models.PositiveIntegerField()
    classes = models.PositiveIntegerField()
    value_columns = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField(null=True, default=None)
    withdrawn_at = models.DateTimeField(null=True, default=None)
    withdrawn_by = models.UUIDField(null=True, default=None)
    withdrawal_reason = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        db_table = "privacy_releases"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.CheckConstraint(condition=Q(k__gte=1, l_diversity__gte=1), name="privacy_release_guarantee"),
        ]
        indexes = [
            models.Index(fields=["tenant", "family_id", "created_at"], name="privacy_release_family"),
            models.Index(fields=["tenant", "created_at"], name="privacy_release_created"),
        ]

    def state_at(self, moment: datetime) -> str:
        """``live``, ``overdue`` (out there past its time) or ``withdrawn``."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "live" if self.expires_at is None or self.expires_at > moment else "overdue"


class ReleaseSegment(TenantModel):
    """A part of a release's signature, sealed: which subject is in which class, in order of subject key.

    Goes with the release's life: removed once it was withdrawn.
    """

    release = TenantForeignKey(Release, on_delete=models.CASCADE, related_name="segments")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        db_table = "privacy_release_segments"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(
                name="release_segment_release_fk", field="release", to="anonymization.Release", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "release", "number"], name="release_segment_number"),
        ]


class RecipientAttestation(TenantModel):
    """An attestation that one recipient shares nothing with the others; without a live one it is taken to collude."""

    recipient = models.UUIDField()
    reason = models.CharField(max_length=500)
    attested_by = models.UUIDField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        db_table = "release_attestations"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(
                fields=["tenant", "recipient"], condition=Q(revoked_at=None), name="release_attestation_recipient"
            ),
        ]
