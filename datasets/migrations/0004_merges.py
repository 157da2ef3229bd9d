"""Merge requests, merges and conflicts."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0003_drafts")]

    operations = []
