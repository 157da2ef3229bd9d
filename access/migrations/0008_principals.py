"""Groups, roles that inherit roles, delegations, and what is known of people."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope

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
_INSIDE = {"db_constraint": False, "db_index": False}
_CASCADE = django.db.models.deletion.CASCADE
_PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [("access", "0007_privacy_keys")]

    operations = [
        migrations.AddField("role", "own_permissions", models.JSONField(default=list)),
        migrations.AddField("role", "inherited", models.JSONField(default=list)),
        migrations.AddField("user", "external_id", models.CharField(blank=True, default="", max_length=255)),
        migrations.AddField("user", "department", models.CharField(blank=True, default="", max_length=63)),
        migrations.AddField("user", "clearance", models.CharField(blank=True, default="", max_length=63)),
        migrations.AddField("user", "updated_at", models.DateTimeField(db_default=_NOW(), editable=False)),
        migrations.AddConstraint(
            "user",
            models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("tenant", "external_id"),
                name="access_user_external_id",
            ),
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("display_name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("external_id", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("updated_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("tenant", models.ForeignKey(**_TENANT)),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_group_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_group_tenant_id"),
                    models.UniqueConstraint(fields=("tenant", "display_name"), name="access_group_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("tenant", "external_id"),
                        name="access_group_external_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMembership",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("source", models.CharField(blank=True, default="", max_length=100)),
                ("added_by", models.UUIDField(editable=False)),
                ("added_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                (
                    "group",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        on_delete=_CASCADE, related_name="memberships", to="access.group", **_INSIDE
                    ),
                ),
                ("tenant", models.ForeignKey(**_TENANT)),
                (
                    "user",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        on_delete=_CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL, **_INSIDE
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "user"], name="access_membership_by_user")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_groupmembership_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_groupmembership_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="group", name="access_groupmembership_group", on_delete="CASCADE", to="access.Group"
                    ),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="user", name="access_groupmembership_user", to="access.User"
                    ),
                    models.UniqueConstraint(fields=("tenant", "group", "user"), name="access_groupmembership_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoleInheritance",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                (
                    "heir",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        on_delete=_CASCADE, related_name="inheritances", to="access.role", **_INSIDE
                    ),
                ),
                (
                    "inherited",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        on_delete=_PROTECT, related_name="heirs", to="access.role", **_INSIDE
                    ),
                ),
                ("tenant", models.ForeignKey(**_TENANT)),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "inherited"], name="access_inheritance_of_role")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_roleinheritance_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_roleinheritance_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="heir", name="access_roleinheritance_heir", on_delete="CASCADE", to="access.Role"
                    ),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="inherited", name="access_roleinheritance_inherited", to="access.Role"
                    ),
                    models.UniqueConstraint(fields=("tenant", "heir", "inherited"), name="access_roleinheritance_once"),
                    models.CheckConstraint(
                        condition=~models.Q(heir=models.F("inherited")), name="access_roleinheritance_other"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ("id", models.UUIDField(**_KEY)),
                ("granted_by", models.UUIDField(editable=False)),
                ("granted_at", models.DateTimeField(db_default=_NOW(), editable=False)),
                ("expires_at", models.DateTimeField(default=None, null=True)),
                (
                    "group",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        default=None,
                        null=True,
                        on_delete=_CASCADE,
                        related_name="delegations",
                        to="access.group",
                        **_INSIDE,
                    ),
                ),
                (
                    "role",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        default=None,
                        null=True,
                        on_delete=_CASCADE,
                        related_name="delegations",
                        to="access.role",
                        **_INSIDE,
                    ),
                ),
                ("tenant", models.ForeignKey(**_TENANT)),
                (
                    "user",
                    vaultsite.kernel.tenancy.keys.TenantForeignKey(
                        on_delete=_CASCADE, related_name="delegations", to=settings.AUTH_USER_MODEL, **_INSIDE
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="access_delegation_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="access_delegation_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="user", name="access_delegation_user", to="access.User"
                    ),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="group", name="access_delegation_group", on_delete="CASCADE", to="access.Group"
                    ),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                        field="role", name="access_delegation_role", on_delete="CASCADE", to="access.Role"
                    ),
                    models.UniqueConstraint(fields=("tenant", "user", "group"), name="access_delegation_user_group"),
                    models.UniqueConstraint(fields=("tenant", "user", "role"), name="access_delegation_user_role"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("group", None), ("role__isnull", False)),
                            models.Q(("group__isnull", False), ("role", None)),
                            _connector="OR",
                        ),
                        name="access_delegation_one_thing",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint("rolebinding", "access_rolebinding_one_holder"),
        migrations.AddField("rolebinding", "source", models.CharField(blank=True, default="", max_length=100)),
        migrations.AddField(
            "rolebinding",
            "group",
            vaultsite.kernel.tenancy.keys.TenantForeignKey(
                blank=True,
                default=None,
                null=True,
                on_delete=_CASCADE,
                related_name="bindings",
                to="access.group",
                **_INSIDE,
            ),
        ),
        migrations.AddConstraint(
            "rolebinding",
            vaultsite.kernel.tenancy.keys.CompositeForeignKey(
                field="group", name="access_rolebinding_group", on_delete="CASCADE", to="access.Group"
            ),
        ),
        migrations.AddConstraint(
            "rolebinding",
            models.UniqueConstraint(fields=("tenant", "group", "role"), name="access_rolebinding_group_role"),
        ),
        migrations.AddConstraint(
            "rolebinding",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("user__isnull", False), ("api_key__isnull", True), ("group__isnull", True)),
                    models.Q(("user__isnull", True), ("api_key__isnull", False), ("group__isnull", True)),
                    models.Q(("user__isnull", True), ("api_key__isnull", True), ("group__isnull", False)),
                    _connector="OR",
                ),
                name="access_rolebinding_one_holder",
            ),
        ),
    ]
