"""What still has to leave the vault: one row an event, written with it, in order."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id


class OutboxEntry(TenantModel):
    """An event that waits for the relay.

    ``id`` is given by the database at insert, so that two transactions that follow one another (they lock the same
    dataset) have their entries in that order. The application inserts, and counts what waits; the relay reads, marks
    and deletes.
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
    event_id = models.UUIDField()
    #: Names the partition of the event, so that finding it costs one index probe.
    event_time = models.DateTimeField()
    dataset_id = models.UUIDField(null=True)
    #: When the relay handed it on: to the live feed, to the webhooks' queues and to that of the message broker.
    delivered_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "audit_outbox"
        verbose_name = "outbox entry"
        verbose_name_plural = "outbox entries"
        constraints = [
            RowLevelSecurity(
                name="audit_outbox_rls", grants=("SELECT", "INSERT"), system=("SELECT", "UPDATE", "DELETE")
            )
        ]
        indexes = [
            # Of the relay, which works across tenants: it looks for what is undelivered, and for what may go.
            models.Index(fields=["id"], name="audit_outbox_waiting", condition=models.Q(delivered_at__isnull=True)),
            models.Index(
                fields=["delivered_at"], name="audit_outbox_done", condition=models.Q(delivered_at__isnull=False)
            ),
        ]
