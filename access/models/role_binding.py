"""Who holds which role, and until when."""

from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

#: A binding that counts at this moment, by the database's clock.
LIVE = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
#: Who may hold a role; a binding names exactly one.
HOLDERS: Final = ("user", "api_key", "service_account", "group")
_ONE_HOLDER: Final = reduce(or_, (Q(**{f"{name}__isnull": name != holder for name in HOLDERS}) for holder in HOLDERS))


class RoleBindingQuerySet(models.QuerySet["RoleBinding"]):
    def live(self) -> "RoleBindingQuerySet":
        return self.filter(LIVE)

    def held_by(self, user_id: UUID) -> "RoleBindingQuerySet":
        """Those of a user and those of the user's groups, to be read from and no longer filtered.

        Two queries in one: each finds its rows by an index, which one with an OR would not.
        """
        return self.filter(user_id=user_id).union(self.filter(group__memberships__user_id=user_id), all=True)


def roles_by_code(bindings: RoleBindingQuerySet) -> dict[str, frozenset[str]]:
    """Code -> permissions of the roles of ``bindings``; the roles they inherit have their codes here as well."""
    rows = list(bindings.values_list("role__code", "role__permissions", "role__inherited"))
    inherited = {code: frozenset[str]() for _, _, codes in rows for code in codes}
    return inherited | {code: frozenset(permissions) for code, permissions, _ in rows}


class RoleBinding(TenantModel):
    """A role held by one of HOLDERS; ``granted_by`` is the id of the principal who gave it.

    ``source`` is empty where somebody gave it, else names the directory whose mapping keeps it.
    """

    user = TenantForeignKey("access.User", models.CASCADE, null=True, blank=True, related_name="bindings")
    api_key = TenantForeignKey("access.ApiKey", models.CASCADE, null=True, blank=True, related_name="bindings")
    service_account = TenantForeignKey(
        "access.ServiceAccount", models.CASCADE, null=True, blank=True, default=None, related_name="bindings"
    )
    group = TenantForeignKey(
        "access.Group", models.CASCADE, null=True, blank=True, default=None, related_name="bindings"
    )
    role = TenantForeignKey("access.Role", models.PROTECT, related_name="bindings")
    source = models.CharField(max_length=100, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True, default=None)
    granted_by = models.UUIDField(editable=False)
    granted_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RoleBindingQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_rolebinding_user", field="user", to="access.User"),
            CompositeForeignKey(name="access_rolebinding_api_key", field="api_key", to="access.ApiKey"),
            CompositeForeignKey(
                name="access_rolebinding_service_account", field="service_account", to="access.ServiceAccount"
            ),
            CompositeForeignKey(name="access_rolebinding_group", field="group", to="access.Group", on_delete="CASCADE"),
            CompositeForeignKey(name="access_rolebinding_role", field="role", to="access.Role"),
            models.UniqueConstraint(fields=["tenant", "user", "role"], name="access_rolebinding_user_role"),
            models.UniqueConstraint(fields=["tenant", "api_key", "role"], name="access_rolebinding_key_role"),
            models.UniqueConstraint(
                fields=["tenant", "service_account", "role"], name="access_rolebinding_account_role"
            ),
            models.UniqueConstraint(fields=["tenant", "group", "role"], name="access_rolebinding_group_role"),
            models.CheckConstraint(condition=_ONE_HOLDER, name="access_rolebinding_one_holder"),
        ]
