"""Who wants to be told of which events."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class EventSubscription(TenantModel):
    """A choice among a tenant's events, and where what it chooses is sent.

    An event is chosen when it is published under one of ``topics`` or is of one of ``types`` (both empty: any), and
    ``expression`` (see audit/subscriptions/grammar.py; empty: true) holds for it. It goes to a webhook
    (``endpoint_id``) or to the deployment's message broker (``route``), never to both. The relay reads the rows of
    every tenant.
    """

    name = models.CharField(max_length=120)
    topics = models.JSONField(default=list, blank=True)
    types = models.JSONField(default=list, blank=True)
    expression = models.TextField(blank=True, default="")
    #: One of audit.catalog.envelope.FORMATS.
    format = models.CharField(max_length=16)
    #: One of audit.catalog.aliases.VOCABULARIES.
    vocabulary = models.CharField(max_length=16)
    #: A webhook endpoint of the tenant; one that is gone is sent nothing.
    endpoint_id = models.UUIDField(null=True, default=None)
    #: What the broker's routing key or stream begins with, below the tenant's own prefix.
    route = models.CharField(max_length=64, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "event subscription"
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            models.UniqueConstraint(fields=["tenant", "name"], name="audit_eventsubscription_name"),
            models.CheckConstraint(
                condition=Q(endpoint_id__isnull=True) ^ Q(route=""), name="audit_eventsubscription_one_place"
            ),
        ]

    def __str__(self) -> str:
        return self.name
