"""Drafts and staged records."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_branches")]

    operations = []
