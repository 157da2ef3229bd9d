from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0015_rescans"), ("access", "0010_grants")]

    operations = []
