from django.db import migrations

from vaultsite.kernel.tenancy.rls import expose_sql, protect_sql

#: The admin's log belongs to the tenant of the user it names.
THROUGH_USER = "EXISTS (SELECT 1 FROM access_user WHERE access_user.id = user_id AND access_user.tenant_id = (SELECT vault_tenant()))"

PROTECTED = {
    "django_admin_log": {"using": THROUGH_USER, "grants": ("SELECT", "INSERT")},
    # Django's groups know no tenants: roles take their place, and nobody sees a group.
    "auth_group": {"using": "false", "grants": ()},
    "auth_group_permissions": {"using": "false", "grants": ()},
}
#: No tenant data: the names of models and of Django's permissions.
READABLE = ("django_content_type", "auth_permission")

UP = [statement for table, rule in PROTECTED.items() for statement in protect_sql(table, **rule, system=())]
UP += [f"REVOKE ALL ON {table} FROM PUBLIC" for table in READABLE]
UP += [f"GRANT SELECT ON {table} TO vault_app" for table in READABLE]
DOWN = [f"REVOKE SELECT ON {table} FROM vault_app" for table in READABLE]
DOWN += [statement for table in PROTECTED for statement in expose_sql(table, system=False)]


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_platform_tenant"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunSQL(UP, DOWN)]
