"""Releases leave the ledger by attestation alone; they keep the values of every sensitive column."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0005_trust")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="value_columns",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="release",
            name="reported_at",
            field=models.DateTimeField(default=None, null=True),
        ),
    ]
