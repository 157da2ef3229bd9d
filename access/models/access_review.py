"""Campaigns in which reviewers say of every grant of a scope whether it is still needed."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class AccessReview(TenantModel):
    """One campaign: what nobody decided to keep before ``deadline`` ends with it.

    ``kinds`` are the GrantKinds under review, ``datasets`` the ids of the datasets (empty: all; roles have none).
    ``reviewers`` are principals' ids.
    """

    name = models.CharField(max_length=200)
    kinds = models.JSONField()
    datasets = models.JSONField(default=list)
    reviewers = models.JSONField()
    deadline = models.DateTimeField()
    started_by = models.UUIDField()
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    closed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",))
        indexes = [
            models.Index(fields=["tenant", "started_at"], name="access_review_started"),
            models.Index(fields=["closed_at", "deadline"], name="access_review_due"),
        ]


class GrantKind(models.TextChoices):
    ROLE = "role", "role"
    PERMISSION = "permission", "standing permission"
    LEASE = "lease", "lease"


class Verdict(models.TextChoices):
    OPEN = "open", "not decided"
    KEEP = "keep", "keep"
    REVOKE = "revoke", "revoke"
    LAPSED = "lapsed", "revoked: nobody decided"
    GONE = "gone", "ended before it was decided on"


class ReviewItem(TenantModel):
    """One grant under review. ``ended_at`` is the end it had before: to be kept, it gets that end back."""

    review = TenantForeignKey(AccessReview, models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=GrantKind.choices)
    grant = models.UUIDField()
    holder = models.UUIDField()
    holder_kind = models.CharField(max_length=15)
    dataset_id = models.UUIDField(null=True, default=None)
    what = models.CharField(max_length=300)
    ended_at = models.DateTimeField(null=True, default=None)
    verdict = models.CharField(max_length=6, choices=Verdict.choices, default=Verdict.OPEN)
    reason = models.CharField(max_length=1000, blank=True, default="")
    decided_by = models.UUIDField(null=True, default=None)
    decided_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_reviewitem_review", field="review", to="access.AccessReview"),
            models.UniqueConstraint(fields=["tenant", "review", "kind", "grant"], name="access_reviewitem_once"),
        ]
        indexes = [models.Index(fields=["tenant", "review", "verdict", "id"], name="access_reviewitem_open")]
