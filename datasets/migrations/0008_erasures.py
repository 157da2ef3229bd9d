"""Erasure, garbage collection and scrubbing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0007_exports")]

    operations = []
