"""Exports keep by which rules they were anonymized."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0016_release_rules")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="view_hash",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
