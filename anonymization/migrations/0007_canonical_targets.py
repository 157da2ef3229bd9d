"""Policies bind a dataset however its id was written when they were attached."""

from typing import Any
from uuid import UUID

from django.db import migrations


def name_canonically(apps: Any, schema_editor: Any) -> None:
    """Ids of datasets as readings name them; of two that come to the same, the one that binds more people stays."""
    rows = apps.get_model("anonymization", "PolicyAttachment").objects.using(schema_editor.connection.alias)
    for row in rows.filter(kind="dataset").iterator():
        try:
            target = str(UUID(row.target))
        except ValueError:
            continue  # it never named a dataset
        if target == row.target:
            continue
        twin = rows.filter(tenant_id=row.tenant_id, kind="dataset", target=target, policy_id=row.policy_id)
        if not twin.exists():
            rows.filter(pk=row.pk).update(target=target)
            continue
        if row.binds_raw_readers:
            twin.update(binds_raw_readers=True)
        rows.filter(pk=row.pk).delete()


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0006_release_attestation")]

    operations = [migrations.RunPython(name_canonically, migrations.RunPython.noop, elidable=True)]
