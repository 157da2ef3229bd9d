"""Tokens that a term shortened remember the end that their maker gave them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0007_canonical_targets")]

    operations = [
        migrations.AddField("token", "is_shortened", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("token", "own_end", models.DateTimeField(null=True, default=None)),
    ]
