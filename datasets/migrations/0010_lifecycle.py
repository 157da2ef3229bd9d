"""Archive, deletion, purge and quotas."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0009_key_rotation")]

    operations = []
