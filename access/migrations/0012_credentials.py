"""Service accounts, what narrows an API key, client certificates and refresh tokens."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("access", "0011_sign_in")]

    operations = [
        migrations.CreateModel(
            name='ServiceAccount',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('description', models.CharField(blank=True, default='', max_length=300)),
                ('kind', models.CharField(choices=[('program', 'program'), ('external', 'external system')], default='program', max_length=8)),
                ('attributes', models.JSONField(blank=True, default=dict)),
                ('is_active', models.BooleanField(default=True)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_serviceaccount_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_serviceaccount_tenant_id'),
                    models.UniqueConstraint(fields=('tenant', 'name'), name='access_serviceaccount_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ClientCertificate',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('fingerprint', 'fingerprint'), ('dns', 'dns'), ('uri', 'uri')], max_length=12)),
                ('value', models.CharField(db_collation='C', max_length=300)),
                ('last_used_at', models.DateTimeField(blank=True, default=None, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, default=None, null=True)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('service_account', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='access.serviceaccount')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'service_account'], name='access_certificate_by_account')],
                'constraints': [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_clientcertificate_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_clientcertificate_tenant_id'),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='service_account', name='access_clientcertificate_account', to='access.ServiceAccount'),
                    models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('tenant', 'kind', 'value'), name='access_clientcertificate_one_live'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TokenFamily',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('method', models.CharField(max_length=20)),
                ('mfa', models.BooleanField(default=False)),
                ('scopes', models.JSONField(blank=True, default=list)),
                ('authenticated_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(default=None, null=True)),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'user'], name='access_tokenfamily_by_user')],
                'constraints': [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_tokenfamily_rls', system=('SELECT', 'DELETE')), models.UniqueConstraint(fields=('tenant', 'id'), name='access_tokenfamily_tenant_id'),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='access_tokenfamily_user', on_delete='CASCADE', to='access.User'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RefreshToken',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('secret_hash', models.BinaryField(max_length=32)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('family', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='access.tokenfamily')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'family'], name='access_refreshtoken_family_idx')],
                'constraints': [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_refreshtoken_rls', system=('SELECT', 'DELETE')), models.UniqueConstraint(fields=('tenant', 'id'), name='access_refreshtoken_tenant_id'),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='family', name='access_refreshtoken_family', on_delete='CASCADE', to='access.TokenFamily'),
                ],
            },
        ),
        migrations.AddField(model_name='apikey', name='allowed_networks', field=models.JSONField(blank=True, default=list)),
        migrations.AddField(model_name='apikey', name='datasets', field=models.JSONField(blank=True, default=list)),
        migrations.AddField(model_name='apikey', name='requests_per_minute', field=models.PositiveIntegerField(default=1000)),
        migrations.AddField(model_name='apikey', name='predecessor', field=vaultsite.kernel.tenancy.keys.TenantForeignKey(blank=True, db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.apikey')),
        migrations.AddField(model_name='apikey', name='service_account', field=vaultsite.kernel.tenancy.keys.TenantForeignKey(blank=True, db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to='access.serviceaccount')),
        migrations.AddIndex(model_name='apikey', index=models.Index(fields=['tenant', 'service_account'], name='access_apikey_by_account')),
        migrations.AddConstraint(model_name='apikey', constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='service_account', name='access_apikey_account', to='access.ServiceAccount')),
        migrations.AddConstraint(model_name='apikey', constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='predecessor', name='access_apikey_predecessor', to='access.ApiKey')),
        migrations.AddConstraint(model_name='apikey', constraint=models.UniqueConstraint(fields=('tenant', 'predecessor'), name='access_apikey_one_successor')),
        migrations.RemoveConstraint(model_name='rolebinding', name='access_rolebinding_one_holder'),
        migrations.AddField(model_name='rolebinding', name='service_account', field=vaultsite.kernel.tenancy.keys.TenantForeignKey(blank=True, db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='bindings', to='access.serviceaccount')),
        migrations.AddConstraint(model_name='rolebinding', constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='service_account', name='access_rolebinding_service_account', to='access.ServiceAccount')),
        migrations.AddConstraint(model_name='rolebinding', constraint=models.UniqueConstraint(fields=('tenant', 'service_account', 'role'), name='access_rolebinding_account_role')),
        migrations.AddConstraint(model_name='rolebinding', constraint=models.CheckConstraint(condition=models.Q(models.Q(('api_key__isnull', True), ('group__isnull', True), ('service_account__isnull', True), ('user__isnull', False)), models.Q(('api_key__isnull', False), ('group__isnull', True), ('service_account__isnull', True), ('user__isnull', True)), models.Q(('api_key__isnull', True), ('group__isnull', True), ('service_account__isnull', False), ('user__isnull', True)), models.Q(('api_key__isnull', True), ('group__isnull', False), ('service_account__isnull', True), ('user__isnull', True)), _connector='OR'), name='access_rolebinding_one_holder')),
        migrations.AlterField(
            model_name='encryptionkey',
            name='purpose',
            field=models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing'), ('token', 'token'), ('token_index', 'token_index'), ('format', 'format'), ('lists', 'lists'), ('analytics', 'analytics'), ('access_token', 'access_token')], max_length=20),
        ),
    ]
