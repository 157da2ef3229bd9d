"""System checks: no tenant table without its policy, no relation that could leave its tenant, no mighty role."""

from typing import Any

from django.core.checks import CheckMessage, Error

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, installed_tenant_models, tenant_foreign_keys
from vaultsite.kernel.tenancy.rls import RowLevelSecurity


def check_tenant_models(**_: Any) -> list[CheckMessage]:
    """vault.E001: a tenant model without row-level security. vault.E002: a tenant relation without composite key."""
    found: list[CheckMessage] = []
    for model in installed_tenant_models():
        if not model._meta.managed:  # noqa: SLF001
            continue
        constraints = model._meta.constraints  # noqa: SLF001
        if not any(isinstance(constraint, RowLevelSecurity) for constraint in constraints):
            found.append(
                Error(
                    f"{model.__name__} has a tenant but no row-level security.",
                    hint="Write `class Meta(TenantModel.Meta)` and extend TenantModel.Meta.constraints.",
                    obj=model,
                    id="vault.E001",
                )
            )
        keyed = {constraint.field for constraint in constraints if isinstance(constraint, CompositeForeignKey)}
        found.extend(
            Error(
                f"{model.__name__}.{field.name} has no CompositeForeignKey.",
                hint="A plain foreign key is checked without row-level security.",
                obj=model,
                id="vault.E002",
            )
            for field in tenant_foreign_keys(model)
            if field.name not in keyed
        )
    return found
