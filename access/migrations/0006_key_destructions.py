"""The end of keys takes two people."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0005_signing_keys")]

    operations = [
        migrations.CreateModel(
            name='KeyDestruction',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=1000)),
                ('requested_by', models.UUIDField()),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirmed_by', models.UUIDField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('key', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='destructions', to='access.encryptionkey')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_keydestruction_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_keydestruction_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='key', name='access_keydestruction_key', to='access.EncryptionKey'), models.UniqueConstraint(fields=('tenant', 'key'), name='access_keydestruction_one'), models.CheckConstraint(condition=models.Q(('confirmed_by__isnull', True), models.Q(('confirmed_by', models.F('requested_by')), _negated=True), _connector='OR'), name='access_keydestruction_two_people')],
            },
        ),
    ]
