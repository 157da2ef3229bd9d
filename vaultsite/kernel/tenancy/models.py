"""The abstract base of every table that belongs to a tenant."""

from django.db import models

from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id


class TenantModel(models.Model):
    """A row of one tenant, identified by a server-made UUIDv7.

    Subclasses extend ``TenantModel.Meta`` and its ``constraints``; one that does not loses the policy, which the system
    check ``vault.E001`` refuses.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )

    class Meta:
        abstract = True
        constraints = [
            RowLevelSecurity(name="%(app_label)s_%(class)s_rls"),
            models.UniqueConstraint(fields=["tenant", "id"], name="%(app_label)s_%(class)s_tenant_id"),
        ]


def tenant_constraints(
    *, grants: tuple[str, ...] | None = None, system: tuple[str, ...] = (), using: str | None = None
) -> list[models.BaseConstraint]:
    """The constraints of TenantModel with other grants: for insert-only tables, and those the system role serves."""
    options: dict[str, object] = {"system": system}
    if grants is not None:
        options["grants"] = grants
    if using is not None:
        options["using"] = using
    return [
        RowLevelSecurity(name="%(app_label)s_%(class)s_rls", **options),  # type: ignore[arg-type]
        models.UniqueConstraint(fields=["tenant", "id"], name="%(app_label)s_%(class)s_tenant_id"),
    ]
