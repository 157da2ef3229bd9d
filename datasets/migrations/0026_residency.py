from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0025_subjects")]

    operations = [
        migrations.AddField(
            model_name="blob",
            name="store",
            field=models.CharField(db_default="vault", default="vault", max_length=64),
        ),
        migrations.AddField(model_name="export", name="recipient", field=models.UUIDField(default=None, null=True)),
    ]
