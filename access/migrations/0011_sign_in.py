from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0010_grants")]

    operations = []
