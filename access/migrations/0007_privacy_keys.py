"""Keys of tokens, lists and analytics."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0006_key_destructions")]

    operations = [
        migrations.AlterField(
            model_name="encryptionkey",
            name="purpose",
            field=models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing'), ('token', 'token'), ('token_index', 'token_index'), ('format', 'format'), ('lists', 'lists'), ('analytics', 'analytics')], max_length=20),
        ),
    ]
