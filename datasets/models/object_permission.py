"""Permissions on one dataset that stand until they are taken away."""

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from guardian.managers import GroupObjectPermissionManager, UserObjectPermissionManager
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

#: A permission that counts at this moment, by the database's clock.
LIVE_PERMISSION = Q(expires_at=None) | Q(expires_at__gt=Now())


class ObjectPermissionQuerySet(models.QuerySet["DatasetUserPermission"]):
    def live(self) -> "ObjectPermissionQuerySet":
        return self.filter(LIVE_PERMISSION)


class GroupPermissionQuerySet(models.QuerySet["DatasetGroupPermission"]):
    def live(self) -> "GroupPermissionQuerySet":
        return self.filter(LIVE_PERMISSION)


class DatasetUserPermission(TenantModel, UserObjectPermissionBase):
    """What a person was given on one dataset: guardian's direct relation, inside one tenant.

    ``permission`` is one of Dataset's model permissions; what each lets somebody do is said in
    ``datasets.services.permissions.LEVELS``.
    """

    permission = models.ForeignKey("auth.Permission", models.CASCADE, db_index=False)
    user = TenantForeignKey("access.User", models.CASCADE)
    content_object = TenantForeignKey("datasets.Dataset", models.CASCADE, related_name="user_permissions")
    granted_by = models.UUIDField()
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, default=None)

    objects = UserObjectPermissionManager.from_queryset(ObjectPermissionQuerySet)()  # type: ignore[misc]

    class Meta(TenantModel.Meta):
        unique_together = ()
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_userpermission_user", field="user", to="access.User"),
            CompositeForeignKey(
                name="datasets_userpermission_dataset",
                field="content_object",
                to="datasets.Dataset",
                on_delete="CASCADE",
            ),
            models.UniqueConstraint(
                fields=["tenant", "content_object", "user", "permission"], name="datasets_userpermission_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "user", "content_object"], name="datasets_permission_of_user")]

    @property
    def holder_id(self) -> UUID:
        return self.user_id


class DatasetGroupPermission(TenantModel, GroupObjectPermissionBase):
    """The same, given to a group: each of its members has it while they are in it."""

    permission = models.ForeignKey("auth.Permission", models.CASCADE, db_index=False)
    group = TenantForeignKey("access.Group", models.CASCADE)
    content_object = TenantForeignKey("datasets.Dataset", models.CASCADE, related_name="group_permissions")
    granted_by = models.UUIDField()
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, default=None)

    objects = GroupObjectPermissionManager.from_queryset(GroupPermissionQuerySet)()  # type: ignore[misc]

    class Meta(TenantModel.Meta):
        unique_together = ()
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="datasets_grouppermission_group", field="group", to="access.Group", on_delete="CASCADE"
            ),
            CompositeForeignKey(
                name="datasets_grouppermission_dataset",
                field="content_object",
                to="datasets.Dataset",
                on_delete="CASCADE",
            ),
            models.UniqueConstraint(
                fields=["tenant", "content_object", "group", "permission"], name="datasets_grouppermission_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "group", "content_object"], name="datasets_permission_of_group")]

    @property
    def holder_id(self) -> UUID:
        return self.group_id
