"""What a directory that provisions people and groups says of them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.conf import settings
from django.db import migrations, models

_KEY = {"default": vaultsite.kernel.identifiers.uuid7, "editable": False, "primary_key": True, "serialize": False}
_TENANT = {
    "db_index": False,
    "default": vaultsite.kernel.tenancy.scope.current_tenant_id,
    "editable": False,
    "on_delete": django.db.models.deletion.PROTECT,
    "related_name": "+",
    "to": "access.tenant",
}
_NOW = django.db.models.functions.datetime.Now
_INSIDE = {"db_constraint": False, "db_index": False, "on_delete": django.db.models.deletion.CASCADE}


class Migration(migrations.Migration):
    dependencies = [("access", "0014_saml")]

    operations = [
        migrations.CreateModel(
            name="DirectoryUser",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("username_key", models.CharField(max_length=150)),
                ("display_name", models.CharField(blank=True, default="", max_length=200)),
                ("formatted_name", models.CharField(blank=True, default="", max_length=200)),
                ("given_name", models.CharField(blank=True, default="", max_length=200)),
                ("family_name", models.CharField(blank=True, default="", max_length=200)),
                ("is_suspended", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("changed_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("tenant", models.ForeignKey(**_TENANT)),
                (
                    "user",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        **_INSIDE, related_name="directory_entries", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_directoryuser_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_directoryuser_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="user", name="access_directoryuser_user", to="access.User"
                    ),
                    models.UniqueConstraint(fields=("tenant", "user"), name="access_directoryuser_once"),
                    models.UniqueConstraint(fields=("tenant", "username_key"), name="access_directoryuser_name"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DirectoryEmail",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("value", models.EmailField(max_length=254)),
                ("type", models.CharField(blank=True, default="", max_length=63)),
                ("is_primary", models.BooleanField(default=False)),
                ("tenant", models.ForeignKey(**_TENANT)),
                (
                    "entry",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        **_INSIDE, related_name="emails", to="access.directoryuser"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "entry"], name="access_diremail_by_entry")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_directoryemail_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_directoryemail_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="entry",
                        name="access_directoryemail_entry",
                        on_delete="CASCADE",
                        to="access.DirectoryUser",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DirectoryGroup",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("created_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("changed_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                (
                    "group",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        **_INSIDE, related_name="directory_entries", to="access.group"
                    ),
                ),
                ("tenant", models.ForeignKey(**_TENANT)),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_directorygroup_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_directorygroup_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="group", name="access_directorygroup_group", on_delete="CASCADE", to="access.Group"
                    ),
                    models.UniqueConstraint(fields=("tenant", "group"), name="access_directorygroup_once"),
                ],
            },
        ),
    ]
