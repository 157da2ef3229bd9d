"""Schemas of records."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0004_merges")]

    operations = []
