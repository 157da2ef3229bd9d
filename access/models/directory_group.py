"""A group that a directory provisions."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from access.models.group import Group
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

#: ``GroupMembership.source`` of people whom the directory put into a group; it sees and removes no others.
SOURCE: Final = "scim"


class DirectoryGroup(TenantModel):
    """Makes a group one that a directory manages: it names it and says who is in it, an administrator what it holds."""

    group = TenantForeignKey(Group, models.CASCADE, related_name="directory_entries")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_directorygroup_group", field="group", to="access.Group", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "group"], name="access_directorygroup_once"),
        ]
