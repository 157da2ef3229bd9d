"""A group of people who hold the same roles."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

LONGEST_GROUP_NAME: Final = 100


class Group(TenantModel):
    """Holds roles through bindings and permissions on datasets; what it holds, each of its members does.

    ``external_id`` is the name by which a directory that provisions it knows it (empty: made here).
    """

    display_name = models.CharField(max_length=LONGEST_GROUP_NAME)
    description = models.CharField(max_length=300, blank=True, default="")
    external_id = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "display_name"], name="access_group_name"),
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~Q(external_id=""), name="access_group_external_id"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class GroupMembership(TenantModel):
    """A person in a group. ``source`` is empty where somebody put them there, else names who keeps it up to date."""

    group = TenantForeignKey(Group, models.CASCADE, related_name="memberships")
    user = TenantForeignKey("access.User", models.CASCADE, related_name="memberships")
    source = models.CharField(max_length=100, blank=True, default="")
    added_by = models.UUIDField(editable=False)
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_groupmembership_group", field="group", to="access.Group", on_delete="CASCADE"
            ),
            CompositeForeignKey(name="access_groupmembership_user", field="user", to="access.User"),
            models.UniqueConstraint(fields=["tenant", "group", "user"], name="access_groupmembership_once"),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_membership_by_user")]
