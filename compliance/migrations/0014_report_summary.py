from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0013_transfers"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="summary",
            field=models.BinaryField(default=None, null=True),
        ),
    ]
