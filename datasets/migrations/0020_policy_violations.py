"""Quarantine may be caused by what somebody tried against a policy."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0019_object_permissions'),
    ]

    operations = [
        migrations.AlterField(
            model_name='versionquarantine',
            name='cause',
            field=models.CharField(choices=[('refused_data', 'holds data that may not be stored'), ('not_scanned', 'holds records that could not be scanned'), ('by_hand', 'placed by hand'), ('violation', 'a policy was violated')], max_length=12),
        ),
    ]
