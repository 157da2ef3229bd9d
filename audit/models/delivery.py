"""What is on its way to the message broker, and what the broker would not take."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id


class Addressed(models.Model):
    """One event as it is sent to the broker.

    ``topics`` are the routing keys or streams it goes to, its own first. ``lane`` is what keeps its order: what is of
    one dataset (of one tenant, where there is none) and goes the same way, to everybody or to one subscription.
    ``event_type`` and ``body`` are as the receiver gets them; nothing sealed is among them.
    """

    event_id = models.UUIDField()
    event_time = models.DateTimeField()
    event_type = models.CharField(max_length=100)
    dataset_id = models.UUIDField(null=True)
    lane = models.UUIDField()
    topics = models.JSONField()
    content_type = models.CharField(max_length=60)
    body = models.BinaryField()
    #: Why it was refused last: one of audit.brokers.base.Refusal; empty when it was not.
    reason = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def topic(self) -> str:
        """Its own topic."""
        return str(self.topics[0])


class BrokerDelivery(Addressed, TenantModel):
    """A message that waits for the broker's confirmation; removed when it has come.

    ``id`` is given in the order in which messages leave. The relay serves the rows of every tenant; the application
    counts its own, puts back what is replayed, and takes out what goes to the dead letters.
    """

    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )
    #: How often the broker has refused it.
    tries = models.PositiveSmallIntegerField(default=0)
    #: Until then its lane waits; None: it may leave.
    next_try_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        verbose_name = "broker delivery"
        verbose_name_plural = "broker deliveries"
        constraints = [
            RowLevelSecurity(
                name="audit_brokerdelivery_rls",
                grants=("SELECT", "INSERT", "DELETE"),
                system=("SELECT", "INSERT", "UPDATE", "DELETE"),
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "event_time"], name="audit_brokerdelivery_age"),
            # Of the relay, which works across tenants: the few lanes whose head was refused.
            models.Index(
                fields=["lane", "next_try_at"],
                name="audit_brokerdelivery_refused",
                condition=Q(next_try_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} to {self.topic}"


class DeadLetter(Addressed, TenantModel):
    """A message that the broker refused each time it was tried; kept, with who replayed it and when."""

    tries = models.PositiveSmallIntegerField()
    died_at = models.DateTimeField(db_default=Now())
    replayed_at = models.DateTimeField(null=True, default=None)
    replayed_by = models.UUIDField(null=True, default=None)

    class Meta(TenantModel.Meta):
        verbose_name = "dead letter"
        constraints = [*tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "DELETE"))]
        indexes = [
            models.Index(
                fields=["tenant", "-id"], name="audit_deadletter_waiting", condition=Q(replayed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type} to {self.topic} ({self.reason})"
