"""All who had a hand in a version are named; keys of tokens, lists and analytics are rotated as well."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0011_ingest_modes"), ("anonymization", "0005_trust")]

    operations = [
        migrations.AddField("version", "contributors", models.JSONField(default=list)),
        migrations.AddField("draft", "contributors", models.JSONField(default=list)),
        migrations.AlterField(
            model_name="keyrotation",
            name="purpose",
            field=models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing'), ('token', 'token'), ('token_index', 'token_index'), ('format', 'format'), ('lists', 'lists'), ('analytics', 'analytics')], max_length=20),
        ),
    ]
