from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0014_guaranteed_exports")]

    operations = []
