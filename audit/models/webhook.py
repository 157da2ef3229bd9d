"""Webhooks: who is told of events over HTTP, and what was sent."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

LONGEST_NAME = 100
LONGEST_URL = 2000
LONGEST_FILTER = 2000
LONGEST_REASON = 300


class SignatureKind(models.TextChoices):
    """How messages of an endpoint are signed (Standard Webhooks 1.0)."""

    HMAC = "v1", "HMAC-SHA256 with a shared secret"
    ED25519 = "v1a", "Ed25519: the receiver holds the public key alone"


class DisabledBy(models.TextChoices):
    NOBODY = "", "enabled"
    PERSON = "person", "switched off by hand"
    GONE = "gone", "the receiver answered that it is gone (410)"
    FAILING = "failing", "it failed for days"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "waiting"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "failed"


class WebhookEndpoint(TenantModel):
    """An address that is told of events: those of ``event_types`` (``*``: of every type) that ``filter`` lets through.

    Event subscriptions may send it others beside these, in shapes of their own.

    ``secret`` is the sealed signing key, ``previous_secret`` the one before it, with which messages are signed as well
    until ``previous_until``; ``public_key`` is the text a receiver of Ed25519 signatures needs. ``lease_until`` and
    ``fence`` are the right of one sender at a time, ``paused_until`` how long it is let alone after ``failures`` in a
    row that began at ``failing_since``.
    """

    name = models.CharField(max_length=LONGEST_NAME)
    url = models.CharField(max_length=LONGEST_URL)
    event_types = models.JSONField(default=list)
    filter = models.CharField(max_length=LONGEST_FILTER, blank=True, default="")
    signature = models.CharField(max_length=3, choices=SignatureKind.choices, default=SignatureKind.HMAC)
    secret = models.BinaryField()
    public_key = models.CharField(max_length=60, blank=True, default="")
    previous_secret = models.BinaryField(null=True, default=None)
    previous_until = models.DateTimeField(null=True, default=None)
    disabled_by = models.CharField(max_length=7, choices=DisabledBy.choices, blank=True, default=DisabledBy.NOBODY)
    disabled_reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")
    disabled_at = models.DateTimeField(null=True, default=None)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, default=None)
    paused_until = models.DateTimeField(null=True, default=None)
    last_success_at = models.DateTimeField(null=True, default=None)
    lease_until = models.DateTimeField(null=True, default=None)
    fence = models.PositiveIntegerField(default=0)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "name"], name="audit_webhook_name"),
        ]

    @property
    def is_enabled(self) -> bool:
        return not self.disabled_by


class WebhookDelivery(TenantModel):
    """One event for one endpoint. ``id`` sorts by the order of the queue; ``body`` is exactly what is sent.

    ``tries`` says of each attempt when it was, how it ended (``status`` of the answer or a word in ``error``) and how
    long it took; nothing of what the receiver answered is kept. ``event_id`` is the ``webhook-id`` of the message.
    """

    # The database removes them with their endpoint.
    endpoint = TenantForeignKey(WebhookEndpoint, on_delete=models.DO_NOTHING)
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=100)
    body = models.BinaryField()
    status = models.CharField(max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    tries = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "webhook deliveries"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(
                name="audit_delivery_endpoint", field="endpoint", to="audit.WebhookEndpoint", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "endpoint", "event_id"], name="audit_delivery_once"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "endpoint", "next_attempt_at", "id"],
                name="audit_delivery_due",
                condition=Q(status="pending"),
            ),
            models.Index(fields=["tenant", "endpoint", "-id"], name="audit_delivery_log"),
            models.Index(fields=["created_at"], name="audit_delivery_age"),
        ]
