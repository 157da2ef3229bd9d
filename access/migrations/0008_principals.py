from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0007_privacy_keys")]

    operations = []
