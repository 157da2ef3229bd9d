from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0001_policies")]

    operations = []
