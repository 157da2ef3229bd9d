"""A person who signs in to one tenant."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.models.group import GroupMembership
from access.models.role_binding import RoleBinding, roles_by_code
from access.policy import admin, builtin
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints
from vaultsite.kernel.tenancy.scope import find_scope

if TYPE_CHECKING:
    from access.federation.ports import FederatedLogin


def scope_tenant() -> UUID | None:
    """The scope's tenant, or None outside one: Django's own checks make an unsaved user at start-up."""
    scope = find_scope()
    return scope.tenant_id if scope else None


class UserManager(BaseUserManager["User"]):
    """Finds users; they are made by ``services.users.create_user`` alone."""


class User(AbstractBaseUser, TenantModel):
    """Unique by name inside its tenant. Disabled rather than deleted: the audit names it by id.

    ``department`` and ``clearance`` are what policies may ask of the person (empty: not known); ``external_id`` is the
    name by which a directory that provisions people knows this one.
    """

    tenant = models.ForeignKey(
        "access.Tenant", models.PROTECT, related_name="+", db_index=False, default=scope_tenant, editable=False
    )
    username = models.CharField(max_length=150)
    full_name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    external_id = models.CharField(max_length=255, blank=True, default="")
    department = models.CharField(max_length=63, blank=True, default="")
    clearance = models.CharField(max_length=63, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []
    #: The provider that let somebody in just now, None for a password of the vault's own. Not stored.
    vouched_by: "FederatedLogin | None" = None
    #: Nobody is above the roles; Django and its admin ask all the same.
    is_superuser: Final = False

    objects = UserManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "username"], name="access_user_username"),
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~Q(external_id=""), name="access_user_external_id"
            ),
        ]

    def live_roles(self) -> dict[str, frozenset[str]]:
        """Code and permissions of each role held now, by the user or by a group of theirs, and of what it inherits.

        An inherited role has its code here; what it permits is among the permissions of its heir. Asks the database
        once for each instance.
        """
        if not hasattr(self, "_live_roles"):
            self._live_roles = roles_by_code(RoleBinding.objects.live().held_by(self.pk))
        return self._live_roles

    def group_ids(self) -> frozenset[UUID]:
        """The groups the user is in now; asks the database once for each instance."""
        if not hasattr(self, "_group_ids"):
            rows = GroupMembership.objects.filter(user_id=self.pk)
            self._group_ids = frozenset(rows.values_list("group_id", flat=True))
        return self._group_ids

    @property
    def permissions(self) -> frozenset[str]:
        if not self.is_active:
            return frozenset()
        return frozenset().union(*self.live_roles().values())

    @property
    def is_staff(self) -> bool:
        """Whether the admin opens: for everybody who holds a role."""
        return self.is_active and bool(self.live_roles())

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Django's question about ``app.verb_model``, answered from the roles."""
        action = admin.action_for(perm)
        return action is not None and builtin.permits(self.permissions, action)

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(builtin.permits(self.permissions, action) for action in admin.actions_of(app_label))
