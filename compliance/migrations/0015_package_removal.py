from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0014_report_summary"),
    ]

    operations = [
        migrations.AddField(
            model_name="requestpackage",
            name="store",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="requestpackage",
            name="removal_due_at",
            field=models.DateTimeField(default=None, null=True),
        ),
    ]
