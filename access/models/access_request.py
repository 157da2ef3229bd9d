"""Somebody asks for access to a dataset, and others decide."""

from django.db import models
from django.db.models.functions import Now

from access.models.lease import HolderKind, Lease, Shown
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class RequestState(models.TextChoices):
    PENDING = "pending", "waits for approval"
    APPROVED = "approved", "approved"
    REFUSED = "refused", "refused"
    WITHDRAWN = "withdrawn", "withdrawn"


class AccessRequest(TenantModel):
    """What is asked for, as the lease it becomes; with ``extends`` it moves the end of a lease there is.

    ``seconds`` is how long the lease lasts from its approval. ``approvals_needed`` was counted from the dataset's
    classification when it was asked for; a higher one counts again when it is approved. One that nobody decided on
    before ``decide_by`` has lapsed.
    """

    requester = models.UUIDField()
    requester_kind = models.CharField(max_length=7, choices=HolderKind.choices)
    dataset_id = models.UUIDField()
    actions = models.JSONField()
    shown = models.CharField(max_length=6, choices=Shown.choices)
    purpose = models.CharField(max_length=63)
    justification = models.CharField(max_length=1000)
    seconds = models.PositiveIntegerField()
    row_quota = models.BigIntegerField(null=True, default=None)
    epsilon = models.DecimalField(max_digits=24, decimal_places=18, null=True, default=None)
    approvals_needed = models.PositiveSmallIntegerField()
    extends = TenantForeignKey(Lease, models.PROTECT, null=True, default=None, related_name="extensions")
    lease = TenantForeignKey(Lease, models.PROTECT, null=True, default=None, related_name="requests")
    state = models.CharField(max_length=9, choices=RequestState.choices, default=RequestState.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decide_by = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "DELETE")),
            CompositeForeignKey(name="access_accessrequest_extends", field="extends", to="access.Lease"),
            CompositeForeignKey(name="access_accessrequest_lease", field="lease", to="access.Lease"),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "id"], name="access_request_state"),
            models.Index(fields=["tenant", "requester", "id"], name="access_request_requester"),
        ]


class RequestVerdict(TenantModel):
    """What one approver said of a request: each says it once."""

    request = TenantForeignKey(AccessRequest, models.CASCADE, related_name="verdicts")
    approver = models.UUIDField()
    is_approval = models.BooleanField()
    reason = models.CharField(max_length=1000)
    decided_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT"), system=("SELECT", "DELETE")),
            CompositeForeignKey(name="access_requestverdict_request", field="request", to="access.AccessRequest"),
            models.UniqueConstraint(fields=["tenant", "request", "approver"], name="access_requestverdict_once"),
        ]
