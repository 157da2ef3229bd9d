"""A role that a tenant made before roles could inherit permits what it did: those permissions are its own."""

from typing import Any

from django.db import migrations
from django.db.models import F


def keep_what_they_permit(apps: Any, schema_editor: Any) -> None:
    """Else the first reckoning of what roles inherit would leave them nothing."""
    roles = apps.get_model("access", "Role").objects.using(schema_editor.connection.alias)
    roles.filter(is_builtin=False, own_permissions=[], inherited=[]).update(own_permissions=F("permissions"))


class Migration(migrations.Migration):
    dependencies = [("access", "0016_policy_more")]

    operations = [migrations.RunPython(keep_what_they_permit, migrations.RunPython.noop, elidable=True)]
