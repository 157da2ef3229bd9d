"""Counts of sealed events by hour and by day: what the summary, the dashboard and the baselines read."""

from uuid import UUID

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Stands for "no dataset" in the keys of rollups, where a null cannot be.
NO_DATASET = UUID(int=0)
#: Stands for all actors together in the days of actors.
EVERYBODY = UUID(int=(1 << 128) - 1)
#: In the place of a facet's number: all events of users and services, and all that the vault did by itself.
ALL_OF_PEOPLE, ALL_OF_SYSTEM = 0, -1


def rollup_constraints(table: str) -> list[models.BaseConstraint]:
    """Written by the sealer alone, as vault_system; read by everybody of the tenant."""
    return [RowLevelSecurity(name=f"{table}_rls", grants=("SELECT",), system=("SELECT", "INSERT", "UPDATE"))]


class _Folded(TenantModel):
    # No key to the tenant's row: counts outlive their tenant as events do.
    id = None  # type: ignore[assignment] # what is counted names the row
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )

    class Meta(TenantModel.Meta):
        abstract = True
        constraints = []


class _Counted(_Folded):
    """``facet`` is the number of a RollupFacet; the sums are what the events say of themselves."""

    facet = models.IntegerField()
    events = models.BigIntegerField()
    records = models.BigIntegerField()
    bytes = models.BigIntegerField()
    duration_ms = models.BigIntegerField()

    class Meta(_Folded.Meta):
        abstract = True


class RollupFacet(_Folded):
    """What events have in common beside who, on what and when: a few hundred a tenant, numbered from 1."""

    pk = models.CompositePrimaryKey("tenant_id", "number")
    number = models.IntegerField()
    type = models.TextField()
    operation = models.TextField()
    status = models.TextField()
    severity = models.TextField()
    classification = models.TextField()
    purpose = models.TextField()
    actor_kind = models.TextField()

    class Meta(_Folded.Meta):
        db_table = "audit_rollup_facet"
        verbose_name = "facet of events"
        verbose_name_plural = "facets of events"
        constraints = [
            *rollup_constraints("audit_rollup_facet"),
            models.UniqueConstraint(
                fields=[
                    *("tenant", "type", "operation", "status", "severity", "classification", "purpose", "actor_kind"),
                ],
                name="audit_rollup_facet_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.status}"


class RollupHour(_Counted):
    """Events of an hour (UTC), by facet and of all facets."""

    pk = models.CompositePrimaryKey("tenant_id", "facet", "hour")
    hour = models.DateTimeField()

    class Meta(_Counted.Meta):
        db_table = "audit_rollup_hour"
        verbose_name = "events of an hour"
        verbose_name_plural = "events of hours"
        constraints = rollup_constraints("audit_rollup_hour")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.events}"


class RollupActorDay(_Counted):
    """Events of an actor and of EVERYBODY on a day (UTC), by facet and of all facets."""

    pk = models.CompositePrimaryKey("tenant_id", "facet", "day", "actor_id")
    day = models.DateField()
    actor_id = models.UUIDField()

    class Meta(_Counted.Meta):
        db_table = "audit_rollup_actor_day"
        verbose_name = "an actor's day"
        verbose_name_plural = "days of actors"
        constraints = rollup_constraints("audit_rollup_actor_day")
        indexes = [models.Index(fields=["tenant", "actor_id", "day"], name="audit_actor_day_by_actor")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}: {self.events}"


class RollupDatasetDay(_Counted):
    """Events of a dataset on a day (UTC), by facet and of all facets; those of no dataset are not here."""

    pk = models.CompositePrimaryKey("tenant_id", "facet", "day", "dataset_id")
    day = models.DateField()
    dataset_id = models.UUIDField()

    class Meta(_Counted.Meta):
        db_table = "audit_rollup_dataset_day"
        verbose_name = "a dataset's day"
        verbose_name_plural = "days of datasets"
        constraints = rollup_constraints("audit_rollup_dataset_day")
        indexes = [models.Index(fields=["tenant", "dataset_id", "day"], name="audit_dataset_day_by_dataset")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}: {self.events}"


class RollupAccessHour(_Counted):
    """Events of one actor on one dataset (NO_DATASET: on none) in an hour (UTC): the finest count."""

    pk = models.CompositePrimaryKey("tenant_id", "actor_id", "hour", "dataset_id", "facet")
    hour = models.DateTimeField()
    actor_id = models.UUIDField()
    dataset_id = models.UUIDField()

    class Meta(_Counted.Meta):
        db_table = "audit_rollup_access_hour"
        verbose_name = "an access hour"
        constraints = rollup_constraints("audit_rollup_access_hour")
        indexes = [
            models.Index(fields=["tenant", "hour"], name="audit_access_by_hour"),
            models.Index(fields=["tenant", "dataset_id", "hour"], name="audit_access_by_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.events}"


class RollupPolicyHour(_Folded):
    """Events of an hour (UTC) that name ``policy`` as one that decided.

    Of violations the row also says who and on what; of other events ``actor_id`` and ``dataset_id`` are NO_DATASET.
    """

    pk = models.CompositePrimaryKey("tenant_id", "policy", "hour", "facet", "actor_id", "dataset_id")
    policy = models.TextField()
    hour = models.DateTimeField()
    facet = models.IntegerField()
    actor_id = models.UUIDField()
    dataset_id = models.UUIDField()
    events = models.BigIntegerField()

    class Meta(_Folded.Meta):
        db_table = "audit_rollup_policy_hour"
        verbose_name = "a policy's hour"
        verbose_name_plural = "hours of policies"
        constraints = rollup_constraints("audit_rollup_policy_hour")
        indexes = [models.Index(fields=["tenant", "facet", "hour"], name="audit_policy_by_facet")]

    def __str__(self) -> str:
        return f"{self.policy} {self.hour:%Y-%m-%d %H}: {self.events}"
