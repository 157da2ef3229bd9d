"""Exports."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_lineage")]

    operations = []
