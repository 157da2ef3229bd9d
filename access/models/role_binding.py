"""Who holds which role, and until when."""

from functools import reduce
from operator import or_
from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

#: A binding that counts at this moment, by the database's clock.
LIVE = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
#: Who may hold a role; a binding names exactly one.
HOLDERS: Final = ("user", "api_key", "service_account")
_ONE_HOLDER: Final = reduce(or_, (Q(**{f"{name}__isnull": name != holder for name in HOLDERS}) for holder in HOLDERS))


class RoleBindingQuerySet(models.QuerySet["RoleBinding"]):
    def live(self) -> "RoleBindingQuerySet":
        return self.filter(LIVE)


class RoleBinding(TenantModel):
    """A role held by one of HOLDERS; ``granted_by`` is the id of the principal who gave it."""

    user = TenantForeignKey("access.User", models.CASCADE, null=True, blank=True, related_name="bindings")
    api_key = TenantForeignKey("access.ApiKey", models.CASCADE, null=True, blank=True, related_name="bindings")
    service_account = TenantForeignKey(
        "access.ServiceAccount", models.CASCADE, null=True, blank=True, default=None, related_name="bindings"
    )
    role = TenantForeignKey("access.Role", models.PROTECT, related_name="bindings")
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
            CompositeForeignKey(name="access_rolebinding_role", field="role", to="access.Role"),
            models.UniqueConstraint(fields=["tenant", "user", "role"], name="access_rolebinding_user_role"),
            models.UniqueConstraint(fields=["tenant", "api_key", "role"], name="access_rolebinding_key_role"),
            models.UniqueConstraint(
                fields=["tenant", "service_account", "role"], name="access_rolebinding_account_role"
            ),
            models.CheckConstraint(condition=_ONE_HOLDER, name="access_rolebinding_one_holder"),
        ]
