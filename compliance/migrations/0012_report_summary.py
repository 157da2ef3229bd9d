from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0011_request_searches"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="summary",
            field=models.BinaryField(default=None, null=True),
        ),
    ]
