"""A person whom a directory provisions, in the directory's own words."""

from django.db import models
from django.db.models.functions import Now

from access.models.user import User
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class DirectoryUser(TenantModel):
    """Makes a user one that a directory manages; without this row it neither sees nor changes them.

    ``username_key`` is the user name as names are compared: NFC, lower case. ``is_suspended`` tells that the directory
    deactivated the user: it may undo that, and nothing that an administrator did.
    """

    user = TenantForeignKey(User, models.CASCADE, related_name="directory_entries")
    username_key = models.CharField(max_length=150)
    display_name = models.CharField(max_length=200, blank=True, default="")
    formatted_name = models.CharField(max_length=200, blank=True, default="")
    given_name = models.CharField(max_length=200, blank=True, default="")
    family_name = models.CharField(max_length=200, blank=True, default="")
    is_suspended = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_directoryuser_user", field="user", to="access.User"),
            models.UniqueConstraint(fields=["tenant", "user"], name="access_directoryuser_once"),
            models.UniqueConstraint(fields=["tenant", "username_key"], name="access_directoryuser_name"),
        ]


class DirectoryEmail(TenantModel):
    """One of the addresses the directory has of a person; the vault itself writes to ``User.email`` alone."""

    entry = TenantForeignKey(DirectoryUser, models.CASCADE, related_name="emails")
    value = models.EmailField()
    type = models.CharField(max_length=63, blank=True, default="")
    is_primary = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_directoryemail_entry", field="entry", to="access.DirectoryUser", on_delete="CASCADE"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "entry"], name="access_diremail_by_entry")]
