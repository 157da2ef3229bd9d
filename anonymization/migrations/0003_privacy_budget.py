from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0002_tokens")]

    operations = []
