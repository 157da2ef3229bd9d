"""Second factors, and what a tenant asks of the people who sign in."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0010_grants")]

    operations = [
        migrations.CreateModel(
            name='TotpDevice',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('sealed', models.BinaryField()),
                ('last_step', models.BigIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_used_at', models.DateTimeField(default=None, null=True)),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.user')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'user'], name='access_totpdevice_by_user')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_totpdevice_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_totpdevice_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='access_totpdevice_user', on_delete='CASCADE', to='access.User')],
            },
        ),
        migrations.CreateModel(
            name='SecurityKey',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('credential_id', models.BinaryField(max_length=1023)),
                ('public_key', models.BinaryField()),
                ('sign_count', models.BigIntegerField()),
                ('transports', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_used_at', models.DateTimeField(default=None, null=True)),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.user')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'user'], name='access_securitykey_by_user')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_securitykey_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_securitykey_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='access_securitykey_user', on_delete='CASCADE', to='access.User'), models.UniqueConstraint(fields=('tenant', 'credential_id'), name='access_securitykey_credential')],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code_hash', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('used_at', models.DateTimeField(default=None, null=True)),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.user')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_recoverycode_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_recoverycode_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='access_recoverycode_user', on_delete='CASCADE', to='access.User'), models.UniqueConstraint(fields=('tenant', 'user', 'code_hash'), name='access_recoverycode_code')],
            },
        ),
        migrations.CreateModel(
            name='SignInPolicy',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('mfa_roles', models.JSONField(default=list)),
                ('mfa_classifications', models.JSONField(default=list)),
                ('step_up_minutes', models.PositiveIntegerField(default=15)),
                ('max_sessions', models.PositiveIntegerField(default=10)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_signinpolicy_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_signinpolicy_tenant_id'), models.UniqueConstraint(fields=('tenant',), name='access_signinpolicy_one'), models.CheckConstraint(condition=models.Q(('step_up_minutes__range', (1, 480)), ('max_sessions__range', (1, 100))), name='access_signinpolicy_ranges')],
            },
        ),
    ]
