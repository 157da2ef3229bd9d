"""Key rotation."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0008_erasures")]

    operations = []
