from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0013_families")]

    operations = []
