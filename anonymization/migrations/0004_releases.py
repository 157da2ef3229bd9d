from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0003_privacy_budget")]

    operations = []
