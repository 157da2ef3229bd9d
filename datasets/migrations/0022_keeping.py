"""Until when a dataset must be kept, and what asks for it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0021_canaries'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='keep_basis',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name='dataset',
            name='keep_until',
            field=models.DateTimeField(default=None, editable=False, null=True),
        ),
    ]
