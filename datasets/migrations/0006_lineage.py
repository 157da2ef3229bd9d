"""Lineage."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0005_schemas")]

    operations = []
