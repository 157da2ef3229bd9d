"""More formats and modes of uploads."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0010_lifecycle")]

    operations = []
