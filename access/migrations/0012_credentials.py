from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0011_sign_in")]

    operations = []
