"""Exports under a guarantee keep by which rules their asker's view was made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0017_export_views")]

    operations = [
        migrations.AddField(
            model_name="guaranteedexport",
            name="view_hash",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
