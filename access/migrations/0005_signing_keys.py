"""Keys that sign."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0004_idempotent_requests")]

    operations = [
        migrations.AlterField(
            model_name="encryptionkey",
            name="purpose",
            field=models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing')], max_length=20),
        ),
    ]
